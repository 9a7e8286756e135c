import assert from 'node:assert/strict'
import fc from 'fast-check'

import { statementName } from '../../src/protocols/sql-statement.ts'

describe('statementName', () => {
  it('is the first word, and the table where it stands plainly', () => {
    const cases = {
      'SELECT 1': 'SELECT',
      'select * from users where name = "from x"': 'SELECT users',
      "SELECT 'secret from hunter2' FROM users": 'SELECT',
      'SELECT $$secret from hunter2$$': 'SELECT',
      'SELECT trim(both from "hunter2")': 'SELECT',
      'SELECT substring(x from 12345)': 'SELECT',
      'SELECT $1::int\n FROM a.b': 'SELECT a.b',
      ' /* why */ -- so\n (SELECT id FROM `users`)': 'SELECT users',
      '/*!40101 SET NAMES utf8 */': 'SET',
      "INSERT INTO users VALUES ('into x')": 'INSERT users',
      'insert ignore into users values (1)': 'INSERT users',
      "UPDATE users SET password = 'x'": 'UPDATE users',
      'CREATE TABLE IF NOT EXISTS t (id int)': 'CREATE t',
      'DROP TABLE IF EXISTS t': 'DROP t',
      'COPY t FROM STDIN': 'COPY t',
      COMMIT: 'COMMIT',
      '': 'QUERY',
      '??': 'QUERY',
    }
    for (const [statement, label] of Object.entries(cases))
      assert.equal(statementName(statement, '`').label, label, statement)
    assert.equal(statementName('DELETE FROM "users"', '"').label, 'DELETE users')
  })

  it('never holds a value that stands in quotes, and is short', () => {
    const word = fc.constantFrom(
      'select',
      'insert into',
      'update',
      'from',
      'set',
      'where',
      'users',
      '*',
      '=',
      ',',
      '(',
      ')',
    )
    const secret = fc.constantFrom("'hunter2'", "'x from hunter2'", "'x'' into hunter2 '", '/* no */')
    fc.assert(
      fc.property(fc.array(fc.oneof(word, secret), { maxLength: 20 }), (words) => {
        const { label } = statementName(words.join(' '), '"')
        assert.ok(!label.includes('hunter2'), label)
        assert.ok(label.length <= 82)
      }),
    )
  })
})
