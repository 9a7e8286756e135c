import { element } from '../view/dom.ts'
import { ask } from './dialog.ts'

/** Asks for the token. Null: none was given. @param trouble what was wrong with the one before */
export async function askToken(trouble: string | null): Promise<string | null> {
  const field = element('input', {
    type: 'password',
    id: 'token',
    autocomplete: 'off',
    spellcheck: 'false',
    autofocus: true,
    required: true,
    'aria-describedby': 'token-help',
    'aria-invalid': trouble === null ? null : 'true',
  })
  const answer = await ask({
    title: 'Token',
    content: [
      trouble === null ? null : element('p', { class: 'trouble', role: 'alert' }, trouble),
      element('label', { for: 'token' }, 'Who changes a run shows the token of this dashboard'),
      field,
      element(
        'p',
        { class: 'help', id: 'token-help' },
        'It was printed where the dashboard was started, with the address of this page. It is kept until this tab is closed.',
      ),
    ],
    buttons: [
      { text: 'Go on', value: 'given' },
      { text: 'Cancel', value: '', kind: 'quiet' },
    ],
    isValid: () => {
      field.value = field.value.trim()
      return field.reportValidity()
    },
  })
  return answer === 'given' ? field.value : null
}
