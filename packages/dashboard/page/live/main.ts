import '../view/style.css'
import './live.css'
import { App } from './app.ts'
import { restoreTheme } from './theme-choice.ts'

restoreTheme()
new App().start(document.body)
