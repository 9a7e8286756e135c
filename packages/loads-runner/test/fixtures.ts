export * from '@loads-runner/history/testing'
