// The npm package `postgres`: it prepares and pipelines by itself.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import postgres from "postgres";
import { CARD, SSN, expect, failsWith, refuses, settings, until } from "./common.mjs";

async function queries(sql) {
  const several = await sql.unsafe("SELECT 1 AS n; SELECT 2 AS n");
  expect(several.length === 2 && several[1][0].n === 2, "two statements in one text");
  // Pipelined: nobody waits for the one before.
  const rows = await Promise.all(Array.from({ length: 100 }, (_, i) =>
    sql`SELECT id, name, ssn, card, photo, ${[i, null]}::int[] AS list FROM people WHERE id = ${i + 1}`));
  rows.forEach(([row], i) => {
    expect(row.id === i + 1 && row.name === `name ${i + 1}`, `row ${i}: ${JSON.stringify(row)}`);
    expect(row.ssn === SSN && row.card === CARD, `values: ${row.ssn} ${row.card}`);
    expect(row.photo.equals(Buffer.from([0, i + 1, 255])) && row.list[0] === i, "photo or list");
  });
  await failsWith("22012", "", () => sql`SELECT 1 / ${0}::int`);
  if (refuses) {
    await failsWith("42501", "rule nothing is deleted, record ", () => sql`DELETE FROM people`);
    await failsWith("42501", "rule nothing is deleted, record ", () => sql`DELETE FROM people WHERE id = ${1}`);
    await failsWith("42501", "rule nothing is deleted, record ", () => sql.unsafe("DELETE FROM people"));
  }
  let seen = 0;
  for await (const part of sql`SELECT id FROM people ORDER BY id`.cursor(7)) {
    for (const { id } of part) expect(id === ++seen, `a cursor brought ${id} for ${seen}`);
  }
  expect(seen === 100, `a cursor brought ${seen} rows`);
}

async function transactions(sql) {
  await sql`CREATE TABLE IF NOT EXISTS kept_by_node (n int)`;
  await sql`TRUNCATE kept_by_node`;
  await failsWith("22012", "", () => sql.begin(async (sql) => {
    await sql`INSERT INTO kept_by_node VALUES (1)`;
    await sql`SELECT 1 / 0`;
  }));
  await sql.begin(async (sql) => {
    await failsWith(refuses ? "42501" : "22012", "", () => sql.savepoint(async (sql) => {
      await sql`INSERT INTO kept_by_node VALUES (2)`;
      await (refuses ? sql`DELETE FROM people` : sql`SELECT 1 / 0`);
    }));
    await sql`INSERT INTO kept_by_node ${sql([{ n: 3 }, { n: 4 }])}`;
  });
  const [{ n }] = await sql`SELECT sum(n)::int AS n FROM kept_by_node`;
  expect(n === 7, `the sum is ${n}`);
}

async function copies(sql) {
  await sql`TRUNCATE kept_by_node`;
  const lines = Array.from({ length: 5000 }, (_, n) => `${n}\n`).join("");
  await pipeline(Readable.from([lines]), await sql`COPY kept_by_node FROM STDIN`.writable());
  let text = "";
  for await (const piece of await sql`COPY (SELECT n FROM kept_by_node ORDER BY n) TO STDOUT`.readable()) text += piece;
  expect(text === lines, "COPY brought other rows back");
  text = "";
  for await (const piece of await sql`COPY (SELECT card FROM people WHERE id = 1) TO STDOUT`.readable()) text += piece;
  expect(text.trim() === CARD, `COPY showed ${text}`);
}

async function cancel(sql) {
  const sleep = failsWith("57014", "", () => {
    const query = sql`SELECT pg_sleep(60)`;
    setTimeout(() => query.cancel(), 500);
    return query;
  });
  await until(sleep, "a cancel");
  expect((await sql`SELECT 'goes on' AS s`)[0].s === "goes on", "after a cancel");
}

async function notifications(sql) {
  let hear;
  const heard = new Promise((resolve) => { hear = resolve; });
  const { unlisten } = await sql.listen("news", hear);
  await sql.notify("news", "hello");
  expect(await until(heard, "a notification") === "hello", "another notification");
  await unlisten();
}

for (const prepare of [true, false]) {
  const sql = postgres({ ...settings, prepare, max: 3, onnotice: () => {} });
  await queries(sql);
  await transactions(sql);
  await copies(sql);
  await notifications(sql);
  await sql.end();
  // On a connection of its own: after a COPY its cancel never leaves, with no gateway either.
  const fresh = postgres({ ...settings, prepare, max: 1 });
  await cancel(fresh);
  await fresh.end();
}
