export { createObserver, type Observer } from './observer.ts'
export { parseObserver, type ObserverRequest } from './request.ts'
