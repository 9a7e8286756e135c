import '../view/style.css'
import './page.css'
import './list.css'
import './run.css'
import './compare.css'
import './dialogs.css'
import { App } from './app.ts'
import { restoreTheme } from './theme-choice.ts'

restoreTheme()
new App().start(document.body)
