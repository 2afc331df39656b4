// The npm package `pg`: simple and extended queries, named statements, binary, COPY
// streams, cancel and notifications.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import copy from "pg-copy-streams";
import { CARD, SSN, expect, failsWith, refuses, settings, until } from "./common.mjs";

async function queries(client, binary) {
  const several = await client.query("SELECT 1 AS n; SELECT 2 AS n");
  expect(several.length === 2 && Number(several[1].rows[0].n) === 2, "two statements in one text");
  for (let id = 1; id <= 20; ++id) {
    for (const name of [undefined, "by id"]) {
      const { rows: [row] } = await client.query(
        { name, text: "SELECT id, name, ssn, card, photo FROM people WHERE id = $1", values: [id] });
      expect(row.id === id && row.name === `name ${id}`, `row ${id}: ${JSON.stringify(row)}`);
      expect(row.ssn === SSN && row.card === CARD, `values: ${row.ssn} ${row.card}`);
      // In binary it takes bytes for a text.
      expect(binary || row.photo.equals(Buffer.from([0, id, 255])), "photo");
    }
  }
  await failsWith("22012", "", () => client.query("SELECT 1 / 0"));
  if (refuses) {
    await failsWith("42501", "rule nothing is deleted, record ", () => client.query("DELETE FROM people"));
    await failsWith("42501", "rule nothing is deleted, record ",
                    () => client.query("DELETE FROM people WHERE id = $1", [1]));
  }
  const { rows: [{ n }] } = await client.query("SELECT count(*)::int AS n FROM people");
  expect(n === 100, `${n} rows`);
}

async function transactions(client) {
  await client.query("CREATE TEMPORARY TABLE kept (n int)");
  await client.query("BEGIN");
  await client.query("INSERT INTO kept VALUES ($1)", [1]);
  await failsWith("22012", "", () => client.query("SELECT $1::int / 0", [1]));
  await failsWith("25P02", "", () => client.query("SELECT 1"));
  await client.query("ROLLBACK");
  await client.query("BEGIN; SAVEPOINT a");
  if (refuses) await failsWith("42501", "record", () => client.query("DELETE FROM people"));
  await client.query("ROLLBACK TO a; INSERT INTO kept VALUES (2); COMMIT");
  const { rows: [{ n }] } = await client.query("SELECT sum(n)::int AS n FROM kept");
  expect(n === 2, `the sum is ${n}`);
}

async function copies(client) {
  await client.query("TRUNCATE kept");
  const lines = Array.from({ length: 5000 }, (_, n) => `${n}\n`).join("");
  await pipeline(Readable.from([lines]), client.query(copy.from("COPY kept FROM STDIN")));
  const read = async (sql) => {
    let text = "";
    for await (const piece of client.query(copy.to(sql))) text += piece;
    return text;
  };
  expect(await read("COPY (SELECT n FROM kept ORDER BY n) TO STDOUT") === lines, "COPY brought other rows back");
  expect((await read("COPY (SELECT card FROM people WHERE id = 1) TO STDOUT")).trim() === CARD, "COPY shows cards");
}

async function cancel(client) {
  const sleep = failsWith("57014", "", () => {
    const query = new pg.Query("SELECT pg_sleep(60)");
    const ended = new Promise((resolve, reject) => query.on("end", resolve).on("error", reject));
    client.query(query);
    const again = setInterval(() => new pg.Client(settings).cancel(client, query), 100);
    return ended.finally(() => clearInterval(again));
  });
  await until(sleep, "a cancel");
  // One request may still be on its way.
  await client.query("SELECT pg_sleep(0.3)").catch((error) => expect(error.code === "57014", `${error}`));
}

async function notifications(client) {
  const heard = new Promise((resolve) => client.on("notification", resolve));
  await client.query("LISTEN news");
  await client.query("SELECT pg_notify('news', $1)", ["hello"]);
  expect((await until(heard, "a notification")).payload === "hello", "another notification");
}

for (const binary of [false, true]) {
  const client = new pg.Client({ ...settings, binary });
  await client.connect();
  await queries(client, binary);
  await transactions(client);
  await copies(client);
  await notifications(client);
  await cancel(client);
  await client.end();
}
const pool = new pg.Pool({ ...settings, max: 5 });
const sums = await Promise.all(Array.from({ length: 100 }, (_, n) => pool.query("SELECT $1::int * 2 AS n", [n])));
expect(sums.every((result, n) => result.rows[0].n === n * 2), "a pool mixed up its results");
await pool.end();
