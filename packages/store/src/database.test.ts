import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Database } from './database.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-database-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NOTE = 'INSERT INTO figures VALUES (?, ?, ?)';

describe('several statements as one', () => {
  test('are all undone where a bug ends them, which is told', () => {
    const database = new Database(join(folder, 'db'));
    const work = (): void => {
      database.run(NOTE, 'a', '', 1);
      throw new TypeError('a bug');
    };
    expect(() => database.together(work)).toThrow('a bug');
    expect(database.all('SELECT * FROM figures')).toStrictEqual([]);
    database.close();
  });

  test('are lost, and nothing else, where the database is closed meanwhile', () => {
    const database = new Database(join(folder, 'db'));
    database.together(() => {
      database.run(NOTE, 'a', '', 1);
      database.close();
    });
    expect(database.all('SELECT * FROM figures')).toStrictEqual([]);
    database.close();
  });

  test('are lost where somebody else writes for too long', () => {
    const database = new Database(join(folder, 'db'));
    database.run(NOTE, 'a', '', 1);
    using other = new DatabaseSync(join(folder, 'db'));
    other.exec('BEGIN IMMEDIATE');
    database.together(() => database.run(NOTE, 'b', '', 1));
    other.exec('ROLLBACK');
    expect(new Database(join(folder, 'db')).all('SELECT name FROM figures')).toMatchObject([{ name: 'a' }]);
  });
});
