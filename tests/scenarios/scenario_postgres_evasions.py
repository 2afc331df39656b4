"""Attempts to run a blocked statement, or to see a masked value: none succeeds, though
each does without the gateway. One line each: what is after, its name, the way there."""
import struct
import time

from harness import pgwire as w
from harness.context import expect, wait_until
from harness.postgres import ALLOW_ALL, BIN, PASSWORD, Cluster, PostgresGateway

CARD = "4111111111111111"
MAIL = "jane.doe@example.com"
SECRET = "vault-7f3a"
SETUP = f"""
CREATE EXTENSION dblink;
CREATE TABLE vault (secret text);
INSERT INTO vault VALUES ('{SECRET}');
CREATE TABLE victims (id int PRIMARY KEY, note text);
INSERT INTO victims SELECT i, 'victim' FROM generate_series(1, 3) i;
CREATE TABLE orders (id int, note text);
INSERT INTO orders VALUES (1, 'harmless');
CREATE TABLE ruled (id int);
INSERT INTO ruled VALUES (1);
CREATE TABLE triggered (id int);
CREATE SCHEMA other;
CREATE TABLE other.orders (id int, note text);
INSERT INTO other.orders VALUES (1, '{SECRET}');
CREATE FUNCTION other.lower(text) RETURNS text LANGUAGE sql AS 'SELECT secret FROM vault';
CREATE TYPE pair AS (id int, number int8);
CREATE TYPE named AS (label text, digits numeric, inner_pair pair);
CREATE DOMAIN card_number AS int8;
CREATE TABLE cards (id int, number text, vc varchar(40), ch char(40), n8 int8, num numeric, dom card_number, b bytea,
  arr text[], arr8 int8[], arrn numeric[], j json, jb jsonb, x xml, one pair, two named, pairs pair[],
  r8 int8range, rn numrange, mr int8multirange, mail text, mails text[], nm name);
INSERT INTO cards VALUES (1, '{CARD}', '{CARD}', '{CARD}', {CARD}, {CARD}, {CARD}, '{CARD}', ARRAY['{CARD}'],
  ARRAY[{CARD}], ARRAY[{CARD}], '{{"pan": "{CARD}"}}', '{{"pan": "{CARD}"}}', '<pan>{CARD}</pan>', (1, {CARD}),
  ('label', {CARD}, (1, {CARD})), ARRAY[(1, {CARD})::pair], '[{CARD},{CARD}]', '[{CARD},{CARD}]',
  '{{[{CARD},{CARD}]}}', '{MAIL}', ARRAY['{MAIL}'], '{CARD}');
CREATE FUNCTION shout(anyelement) RETURNS text LANGUAGE plpgsql AS
  $$BEGIN RAISE NOTICE 'it is %', $1; RETURN 'said'; END$$;
CREATE FUNCTION fail(anyelement) RETURNS text LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'it is %', $1 USING DETAIL = 'd ' || $1, HINT = 'h ' || $1; END$$;
CREATE TABLE keyed (number text PRIMARY KEY);
INSERT INTO keyed VALUES ('{CARD}');
"""
DENIED = ALLOW_ALL + """
  - name: the vault is closed
    operations: {sql: {relations: [vault]}}
    ruling: deny
  - name: nothing is deleted
    operations: {sql: {classes: [delete, truncate, drop]}}
    ruling: deny
  - name: nothing reaches out
    operations: {sql: {functions: ["pg_read*", "pg_ls_*", "lo_*", "loread", "dblink*", "*_to_xml*"]}}
    ruling: deny
"""
MASKS = """
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
  - {name: mail, find: builtin:email}
"""
# Only what is named may be done; the rest is nobody's business.
LISTED = """
  - name: orders may be read
    operations: {sql: {classes: [select, set, reset, show, transaction, prepare, execute, deallocate, declare, fetch,
      close, explain, discard], relations: [public.orders], functions: ["pg_catalog.*"]}}
    ruling: allow
"""

# What shows that an attempt got through.
CARD_SHAPES = [CARD.encode(), CARD.encode().hex().encode(), struct.pack("!q", int(CARD)), struct.pack("!d", int(CARD)),
               struct.pack("!4H", 4111, 1111, 1111, 1111), b"4111 1111 1111 1111", b"4111-1111-1111-1111",
               b"411111111111111" + b"\n", b"4.111111111111111e+15"]
SHAPES = {"card": CARD_SHAPES, "mail": [MAIL.encode(), MAIL.encode().hex().encode()], "vault": [SECRET.encode()],
          "file": [b"root:x:0"]}

REFUSED, MASKED, ERROR, ENDED = "refused", "masked", "error", "ended"
DELETE = "DELETE FROM victims"
VAULT = "SELECT secret FROM vault"
END = "the end of it"


def split_unicode(word: str) -> str:
    return "".join(f"\\{ord(letter):04X}" for letter in word)


# Blocked statements as one text.
TEXTS = [
    ("delete", "plain", DELETE),
    ("delete", "upper case", "DELETE FROM VICTIMS"),
    ("delete", "mixed case", "dElEtE fRoM vIcTiMs"),
    ("delete", "comment inside", "DELETE/**/FROM/**/victims"),
    ("delete", "nested comment", "/* a /* b */ c */ DELETE FROM victims"),
    ("delete", "comment with a quote", "/* ' */ DELETE FROM victims /* ' */"),
    ("delete", "comment with a dollar quote", "/* $$ */ DELETE FROM victims /* $$ */"),
    ("delete", "line comment ended by a carriage return", "SELECT 1 --\r; DELETE FROM victims"),
    ("delete", "line comment ended by a newline", "--\nDELETE FROM victims"),
    ("delete", "tabs, form feeds and newlines", "\t\f\r\nDELETE\r\nFROM\fvictims\t"),
    ("delete", "vertical tab", "SELECT 1;\nDELETE\tFROM victims --\v"),
    ("delete", "leading semicolons", ";;; DELETE FROM victims"),
    ("delete", "trailing statement", "SELECT 1; DELETE FROM victims"),
    ("delete", "trailing statement behind a comment", "SELECT 1 /* ; */ ; /* */ DELETE FROM victims --"),
    ("delete", "leading statement", "DELETE FROM victims; SELECT 1"),
    ("delete", "behind a string with a backslash", "SELECT 'x\\'; DELETE FROM victims --'"),
    ("delete", "behind an escape string", "SELECT E'x\\\\'; DELETE FROM victims"),
    ("delete", "behind an escape string with an escaped quote", "SELECT E'\\'', 1; DELETE FROM victims"),
    ("delete", "behind a doubled quote", "SELECT 'it''s'; DELETE FROM victims"),
    ("delete", "behind a dollar quote", "SELECT $$'$$; DELETE FROM victims"),
    ("delete", "behind a tagged dollar quote", "SELECT $a$ $$ $b$ $a$; DELETE FROM victims"),
    ("delete", "behind a dollar in a name", "SELECT 1 AS a$b$; DELETE FROM victims; SELECT 1 AS a$b$"),
    ("delete", "behind a parameter-like dollar", "SELECT 1 AS x$1; DELETE FROM victims"),
    ("delete", "behind a national string", "SELECT N'x'; DELETE FROM victims"),
    ("delete", "behind a bit string", "SELECT B'01', X'1f'; DELETE FROM victims"),
    ("delete", "behind strings joined by a newline", "SELECT 'a'\n'b'; DELETE FROM victims"),
    ("delete", "behind an escape string joined by a newline", "SELECT E'a'\n'\\''; DELETE FROM victims --'"),
    ("delete", "behind a unicode string", "SELECT U&'\\0027'; DELETE FROM victims"),
    ("delete", "behind an own unicode escape", "SELECT U&'!0027' UESCAPE '!'; DELETE FROM victims"),
    ("delete", "behind a quoted name with a quote", "SELECT 1 AS \"a\"\"b'\"; DELETE FROM victims"),
    ("delete", "operators that look like comments", "SELECT 4 - -1; DELETE FROM victims"),
    ("delete", "an operator before a comment", "SELECT 1 +/* */2; DELETE FROM victims"),
    ("delete", "quoted relation", 'DELETE FROM "victims"'),
    ("delete", "quoted schema", 'DELETE FROM "public"."victims"'),
    ("delete", "database, schema, relation", "DELETE FROM {database}.public.victims"),
    ("delete", "only", "DELETE FROM ONLY victims"),
    ("delete", "only in brackets", "DELETE FROM ONLY (victims)"),
    ("delete", "star", "DELETE FROM victims *"),
    ("delete", "alias", "DELETE FROM victims AS v WHERE v.id > 0"),
    ("delete", "using", "DELETE FROM victims USING orders WHERE victims.id > 0"),
    ("delete", "returning", "DELETE FROM victims RETURNING *"),
    ("delete", "a true condition", "DELETE FROM victims WHERE 1 = 1"),
    ("delete", "in a CTE", "WITH d AS (DELETE FROM victims RETURNING 1) SELECT count(*) FROM d"),
    ("delete", "in an unused CTE", "WITH d AS (DELETE FROM victims) SELECT 1"),
    ("delete", "in the second CTE", "WITH a AS (SELECT 1), d AS (DELETE FROM victims RETURNING id) SELECT * FROM a"),
    ("delete", "CTE of an insert", "WITH d AS (DELETE FROM victims RETURNING id) INSERT INTO orders SELECT id FROM d"),
    ("delete", "CTE of an update", "WITH d AS (DELETE FROM victims) UPDATE orders SET id = id"),
    ("delete", "explained and analysed", "EXPLAIN ANALYZE DELETE FROM victims"),
    ("delete", "explained with options", "EXPLAIN (COSTS off, ANALYZE true) DELETE FROM victims"),
    ("delete", "explained with a number", "EXPLAIN (ANALYZE 1) DELETE FROM victims"),
    ("delete", "explained verbosely", "EXPLAIN ANALYZE VERBOSE DELETE FROM victims"),
    ("delete", "explained CTE", "EXPLAIN ANALYZE WITH d AS (DELETE FROM victims) SELECT 1"),
    ("delete", "prepared and executed", "PREPARE p AS DELETE FROM victims; EXECUTE p"),
    ("delete", "prepared with a parameter", "PREPARE p(int) AS DELETE FROM victims WHERE id > $1; EXECUTE p(0)"),
    ("delete", "prepared and explained", "PREPARE p AS DELETE FROM victims; EXPLAIN ANALYZE EXECUTE p"),
    ("delete", "in a DO block", "DO $$BEGIN DELETE FROM victims; END$$"),
    ("delete", "in a DO block, joined", "DO $$BEGIN EXECUTE 'DEL' || 'ETE FROM victims'; END$$"),
    ("delete", "in a DO block of a plain string", "DO 'BEGIN DELETE FROM victims; END'"),
    ("delete", "in a DO block of an escape string", "DO E'BEGIN \\x44ELETE FROM victims; END'"),
    ("delete", "in a DO block of a unicode string", f"DO U&'BEGIN {split_unicode('DELETE')} FROM victims; END'"),
    ("delete", "in a DO block with its language first", "DO LANGUAGE plpgsql $$BEGIN DELETE FROM victims; END$$"),
    ("delete", "in a new SQL function", "CREATE FUNCTION f1() RETURNS void LANGUAGE sql AS 'DELETE FROM victims';"
                                        " SELECT f1()"),
    ("delete", "in a new function's own body", "CREATE FUNCTION f2() RETURNS void LANGUAGE sql BEGIN ATOMIC"
                                               " DELETE FROM victims; END; SELECT f2()"),
    ("delete", "in a new procedure", "CREATE PROCEDURE f3() LANGUAGE plpgsql AS $$BEGIN DELETE FROM victims; END$$;"
                                     " CALL f3()"),
    ("delete", "in a rule", "CREATE RULE r1 AS ON UPDATE TO ruled DO ALSO DELETE FROM victims;"
                            " UPDATE ruled SET id = id"),
    ("delete", "in a trigger", "CREATE FUNCTION f4() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE FROM victims;"
                               " RETURN NULL; END$$; CREATE TRIGGER t AFTER INSERT ON triggered EXECUTE FUNCTION f4();"
                               " INSERT INTO triggered VALUES (2)"),
    ("delete", "merge", "MERGE INTO victims v USING (SELECT 1) o ON true WHEN MATCHED THEN DELETE"),
    ("delete", "merge with a condition", "MERGE INTO victims USING (SELECT 1 AS id) o ON true WHEN MATCHED AND o.id > 0 THEN DELETE"),
    ("delete", "truncate", "TRUNCATE victims"),
    ("delete", "truncate table only", "TRUNCATE TABLE ONLY victims RESTART IDENTITY CASCADE"),
    ("delete", "drop", "DROP TABLE victims CASCADE"),
    ("delete", "drop if exists", "DROP TABLE IF EXISTS nothing, victims CASCADE"),
    ("delete", "copied out", "COPY (DELETE FROM victims RETURNING id) TO STDOUT"),
    ("delete", "copied out by a CTE", "COPY (WITH d AS (DELETE FROM victims RETURNING id) SELECT * FROM d) TO STDOUT"),
    ("delete", "by dblink", "SELECT dblink_exec('{dsn}', 'DELETE FROM victims')"),
    ("delete", "by dblink in FROM", "SELECT * FROM dblink('{dsn}', 'DELETE FROM victims RETURNING id') AS t(id int)"),
    ("delete", "by dblink, asynchronously", "SELECT dblink_connect('c', '{dsn}'); SELECT dblink_send_query('c',"
                                            " 'DELETE FROM victims'); SELECT pg_sleep(0.2)"),
    ("delete", "by a program", "COPY (SELECT 1) TO PROGRAM '{psql} -c \"DELETE FROM victims\"'"),
    ("delete", "begun and committed", "BEGIN; DELETE FROM victims; COMMIT"),
    ("delete", "between savepoints", "BEGIN; SAVEPOINT a; DELETE FROM victims; RELEASE a; COMMIT"),
    ("delete", "create table as", "CREATE TABLE t1 AS WITH d AS (SELECT 1) SELECT * FROM d; DELETE FROM victims"),
    ("vault", "plain", VAULT),
    ("vault", "quoted", 'SELECT "secret" FROM "vault"'),
    ("vault", "unicode name", f'SELECT secret FROM U&"{split_unicode("vault")}"'),
    ("vault", "unicode name with an own escape", 'SELECT secret FROM U&"v!0061ult" UESCAPE \'!\''),
    ("vault", "unicode name of six digits", 'SELECT secret FROM U&"\\+000076ault"'),
    ("vault", "table command", "TABLE vault"),
    ("vault", "comma join", "SELECT * FROM orders, vault"),
    ("vault", "join", "SELECT v.* FROM orders o LEFT JOIN vault v ON true"),
    ("vault", "lateral join", "SELECT l.* FROM orders, LATERAL (SELECT * FROM vault) l"),
    ("vault", "natural join", "SELECT * FROM orders NATURAL JOIN vault"),
    ("vault", "subquery", "SELECT (SELECT secret FROM vault)"),
    ("vault", "subquery in a condition's error", "SELECT 1 WHERE (SELECT secret FROM vault)::int = 1"),
    ("vault", "in an array", "SELECT ARRAY(SELECT secret FROM vault)"),
    ("vault", "union", "SELECT 'a' UNION ALL SELECT secret FROM vault"),
    ("vault", "intersect", "SELECT secret FROM vault INTERSECT SELECT secret FROM vault"),
    ("vault", "values", "VALUES ((SELECT secret FROM vault))"),
    ("vault", "CTE", "WITH v AS (SELECT * FROM vault) SELECT * FROM v"),
    ("vault", "CTE of the same name", "WITH vault AS (SELECT * FROM vault) SELECT * FROM vault"),
    ("vault", "recursive CTE", "WITH RECURSIVE v AS (SELECT secret, 1 AS n FROM vault UNION ALL SELECT secret, n + 1 FROM v"
                               " WHERE n < 2) SELECT * FROM v"),
    ("vault", "order by", "SELECT 1::text ORDER BY (SELECT secret::int FROM vault)"),
    ("vault", "limit", "SELECT 1 LIMIT (SELECT length(secret) / secret::int FROM vault)"),
    ("vault", "case", "SELECT CASE WHEN true THEN (SELECT secret FROM vault) END"),
    ("vault", "row", "SELECT row(v) FROM vault v"),
    ("vault", "whole row", "SELECT vault FROM vault"),
    ("vault", "json", "SELECT to_json(v) FROM vault v"),
    ("vault", "aggregate", "SELECT string_agg(secret, ',') FROM vault"),
    ("vault", "window", "SELECT first_value(secret) OVER () FROM vault"),
    ("vault", "filter", "SELECT max(note) FILTER (WHERE true) || (SELECT max(secret) FROM vault) FROM orders"),
    ("vault", "insert and return", "INSERT INTO orders SELECT 1, secret FROM vault RETURNING note"),
    ("vault", "update and return", "UPDATE orders SET note = secret FROM vault RETURNING note"),
    ("vault", "on conflict", "INSERT INTO victims VALUES (1) ON CONFLICT (id) DO UPDATE SET note ="
                             " (SELECT secret FROM vault) RETURNING note"),
    ("vault", "a default of a new table", "CREATE TABLE t2 AS SELECT * FROM vault; TABLE t2"),
    ("vault", "select into", "SELECT * INTO t3 FROM vault; TABLE t3"),
    ("vault", "materialised view", "CREATE MATERIALIZED VIEW m1 AS SELECT * FROM vault; TABLE m1"),
    ("vault", "view", "CREATE VIEW v1 AS SELECT * FROM vault; TABLE v1"),
    ("vault", "like", "CREATE TABLE t4 (LIKE vault); INSERT INTO t4 SELECT * FROM vault; TABLE t4"),
    ("vault", "renamed", "ALTER TABLE vault RENAME TO vault2; TABLE vault2; ALTER TABLE vault2 RENAME TO vault"),
    ("vault", "moved to another schema", "ALTER TABLE vault SET SCHEMA other; TABLE other.vault;"
                                         " ALTER TABLE other.vault SET SCHEMA public"),
    ("vault", "copied out", "COPY vault TO STDOUT"),
    ("vault", "copied out in CSV", "COPY public.vault (secret) TO STDOUT (FORMAT csv, HEADER)"),
    ("vault", "copied out in binary", "COPY vault TO STDOUT (FORMAT binary)"),
    ("vault", "copied out by the old grammar", "COPY BINARY vault TO STDOUT"),
    ("vault", "copied out by a query", "COPY (SELECT secret FROM vault) TO STDOUT"),
    ("vault", "copied by a file", "COPY vault TO '{folder}/vault'; CREATE TABLE t6 (s text);"
                                  " COPY t6 FROM '{folder}/vault'; TABLE t6"),
    ("vault", "cursor", "BEGIN; DECLARE c CURSOR FOR SELECT secret FROM vault; FETCH ALL c; COMMIT"),
    ("vault", "cursor that is held", "DECLARE c CURSOR WITH HOLD FOR TABLE vault; FETCH c"),
    ("vault", "binary cursor", "BEGIN; DECLARE c BINARY CURSOR FOR TABLE vault; FETCH c; COMMIT"),
    ("vault", "explained", "EXPLAIN (ANALYZE, VERBOSE) SELECT '{secret}' FROM vault"),
    ("vault", "locked and prepared", "LOCK vault; PREPARE q AS TABLE vault; EXECUTE q"),
    ("vault", "by XML", "SELECT table_to_xml('vault', true, true, '')"),
    ("vault", "by XML of a schema", "SELECT schema_to_xml('public', true, true, '')"),
    ("vault", "by XML of a cursor", "BEGIN; DECLARE c CURSOR FOR SELECT 1; SELECT cursor_to_xml('c', 1, true, true, '');"
                                    " SELECT query_to_xml('TABLE vault', true, true, ''); COMMIT"),
    ("vault", "a privilege's error", "GRANT SELECT ON vault TO PUBLIC; TABLE vault"),
    ("vault", "a comment on it", "COMMENT ON TABLE vault IS 'x'; TABLE vault"),
    ("vault", "xmltable", "SELECT x.* FROM vault, xmltable('/a' PASSING xmlelement(name a, secret) COLUMNS s text PATH '.') x"),
    ("vault", "tablesample", "SELECT * FROM vault TABLESAMPLE system (100)"),
    ("vault", "for update", "SELECT * FROM vault FOR UPDATE"),
    ("vault", "rows from", "SELECT * FROM ROWS FROM (unnest(ARRAY(SELECT secret FROM vault))) AS r"),
    ("vault", "group by", "SELECT secret FROM vault GROUP BY GROUPING SETS ((secret), ())"),
    ("vault", "exists with an error", "SELECT fail(secret) FROM vault"),
    ("vault", "notice", "SELECT shout(secret) FROM vault"),
    ("vault", "notification", "LISTEN n; SELECT pg_notify('n', secret) FROM vault"),
    ("vault", "setting", "SELECT set_config('application_name', secret, false) FROM vault"),
    ("file", "read", "SELECT pg_read_file('/etc/passwd')"),
    ("file", "read, in full", 'SELECT "pg_catalog"."pg_read_file"(\'/etc/passwd\', 0, 100)'),
    ("file", "read, by a unicode name", "SELECT U&\"pg\\005Fread_file\"('/etc/passwd')"),
    ("file", "read in FROM", "SELECT * FROM pg_read_file('/etc/passwd') f"),
    ("file", "read in binary", "SELECT convert_from(pg_read_binary_file('/etc/passwd'), 'UTF8')"),
    ("file", "copied in", "CREATE TABLE f5 (l text); COPY f5 FROM '/etc/passwd'; TABLE f5"),
    ("file", "copied by a program", "CREATE TABLE f6 (l text); COPY f6 FROM PROGRAM 'cat /etc/passwd'; TABLE f6"),
    ("file", "large object, opened", "BEGIN; SELECT lo_import('/etc/passwd', 4242);"
                                     " SELECT convert_from(loread(lo_open(4242, 262144), 2000), 'UTF8'); COMMIT"),
]

# A masked value, by statements that are allowed.
SEEN = [
    *(("card", f"{column} as text", f"SELECT {column} FROM cards") for column in
      ("number", "vc", "ch", "n8", "num", "dom", "b", "arr", "arr8", "arrn", "j", "jb", "x", "one", "two", "pairs",
       "r8", "rn", "mr", "nm")),
    ("card", "all columns", "TABLE cards"),
    ("card", "whole row", "SELECT cards FROM cards"),
    ("card", "row constructor", "SELECT ROW(n8, number) FROM cards"),
    ("card", "renamed column", "SELECT number AS harmless FROM cards"),
    ("card", "cast to bytea", "SELECT number::bytea FROM cards"),
    ("card", "cast to name", "SELECT number::name FROM cards"),
    ("card", "cast to numeric with a scale", "SELECT n8::numeric(20, 2) FROM cards"),
    ("card", "cast to double precision", "SELECT n8::float8 FROM cards"),
    ("card", "cast to json", "SELECT to_json(n8) FROM cards"),
    ("card", "as a json key", "SELECT json_build_object(number, 1) FROM cards"),
    ("card", "as a json number", "SELECT json_build_object('n', n8) FROM cards"),
    ("card", "as an escaped json text", "SELECT ('\"\\u0034' || substr(number, 2) || '\"')::json FROM cards"),
    ("card", "nested json", "SELECT json_build_object('a', jsonb_build_array(1, to_jsonb(c))) FROM cards c"),
    ("card", "with spaces", "SELECT substr(number, 1, 4) || ' ' || substr(number, 5, 4) || ' ' || substr(number, 9, 4)"
                            " || ' ' || substr(number, 13) FROM cards"),
    ("card", "with dashes", "SELECT to_char(n8, 'FM0000\"-\"0000\"-\"0000\"-\"0000') FROM cards"),
    ("card", "surrounded by text", "SELECT 'card:' || number || ';' FROM cards"),
    ("card", "behind much text", "SELECT repeat('x ', 50000) || number FROM cards"),
    ("card", "in the second row of many", "SELECT number FROM cards, generate_series(1, 500)"),
    ("card", "hexadecimal bytea", "SELECT ('\\x' || encode(b, 'hex'))::bytea FROM cards"),
    ("card", "escaped bytea", "SET bytea_output = escape; SELECT b FROM cards"),
    ("card", "bytea with a high byte", "SET bytea_output = escape; SELECT b || '\\xff'::bytea FROM cards"),
    ("card", "array of arrays", "SELECT ARRAY[arr, arr] FROM cards"),
    ("card", "aggregated", "SELECT array_agg(n8) FROM cards"),
    ("card", "joined", "SELECT string_agg(number, ',') FROM cards"),
    ("card", "in XML", "SELECT xmlelement(name a, number) FROM cards"),
    ("card", "table as XML", "SELECT xmlforest(number, n8) FROM cards"),
    ("card", "explained", f"EXPLAIN SELECT * FROM cards WHERE number = '{CARD}'"),
    ("card", "explained as JSON", f"EXPLAIN (FORMAT json) SELECT * FROM cards WHERE number = '{CARD}'"),
    ("card", "several statements", "SELECT 1; SELECT number FROM cards; SELECT 2"),
    ("card", "returned by an insert", "INSERT INTO orders SELECT 1, number FROM cards RETURNING note"),
    ("card", "returned by an update", "UPDATE cards SET id = id RETURNING n8"),
    ("card", "prepared by text", "PREPARE q AS SELECT number FROM cards; EXECUTE q"),
    ("card", "cursor", "BEGIN; DECLARE c CURSOR FOR SELECT number, n8 FROM cards; FETCH ALL c; COMMIT"),
    ("card", "binary cursor of text", "BEGIN; DECLARE c BINARY CURSOR FOR SELECT number FROM cards; FETCH ALL c; COMMIT"),
    ("card", "binary cursor of int8", "BEGIN; DECLARE c BINARY CURSOR FOR SELECT n8 FROM cards; FETCH ALL c; COMMIT"),
    ("card", "binary cursor of all", "BEGIN; DECLARE c BINARY CURSOR FOR TABLE cards; FETCH ALL c; COMMIT"),
    ("card", "copied out", "COPY cards (number, n8, num) TO STDOUT"),
    ("card", "copied out in CSV", "COPY cards (number, n8, j) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)"),
    ("card", "copied out with another delimiter", "COPY cards (id, number) TO STDOUT (DELIMITER '|')"),
    ("card", "copied out as bytea", "COPY cards (b) TO STDOUT"),
    ("card", "copied out by a query", "COPY (SELECT 'a' || number || 'b', arr FROM cards) TO STDOUT"),
    ("card", "in a notice", "SELECT shout(number) FROM cards"),
    ("card", "in a notice of a row", "SELECT shout(one) FROM cards"),
    ("card", "in an error", "SELECT number::int FROM cards"),
    ("card", "in an error's detail and hint", "SELECT fail(number) FROM cards"),
    ("card", "in a duplicate key's detail", "INSERT INTO keyed SELECT number FROM cards"),
    ("card", "in an error of a date", "SELECT number::date FROM cards"),
    ("card", "in an error of xml", "SELECT ('<a>' || number)::xml FROM cards"),
    ("card", "in an error of json", "SELECT ('{' || number)::json FROM cards"),
    ("card", "in a notification", "LISTEN n; SELECT pg_notify('n', number) FROM cards"),
    ("card", "in a notification of NOTIFY", f"LISTEN n; NOTIFY n, '{CARD}'"),
    ("card", "reported setting", "SET application_name = '{card}'"),
    ("card", "shown setting", "SET my.setting = '{card}'; SHOW my.setting"),
    ("mail", "text", "SELECT mail FROM cards"),
    ("mail", "array", "SELECT mails FROM cards"),
    ("mail", "row", "SELECT ROW(mail) FROM cards"),
    ("mail", "bytea", "SELECT mail::bytea FROM cards"),
    ("mail", "json", "SELECT json_build_object('m', mail) FROM cards"),
    ("mail", "upper and lower again", "SELECT lower(upper(mail)) FROM cards"),
    ("mail", "in an error", "SELECT mail::int FROM cards"),
    ("mail", "in a notice", "SELECT shout(mail) FROM cards"),
    ("mail", "copied out", "COPY cards (mail) TO STDOUT"),
]
ERRORS_SEEN = {"in an error", "in an error's detail and hint", "in a duplicate key's detail", "in an error of a date",
               "in an error of xml", "in an error of json"}

# Columns in binary, by the extended protocol.
BINARY_COLUMNS = ("number", "vc", "ch", "n8", "num", "dom", "b", "arr", "arr8", "arrn", "j", "jb", "x", "one", "two",
                  "pairs", "r8", "rn", "mr", "nm", "n8::float8", "cards", "ROW(n8)", "ROW(1, num)", "array_agg(n8)",
                  "ARRAY[arr8, arr8]", "number::bytea", "row(row(row(n8)))")

# Statements and names by messages. What is given as a list goes turn by turn.
BACKSLASH = "SELECT 'x\\', '; DELETE FROM victims; --'"
HIDDEN = "SELECT 'a\\' || ' || (SELECT secret FROM vault) --'"
SETTING_OFF = "SELECT set_config('standard_' || 'conforming_strings', 'off', false)"
MESSAGES = [
    ("delete", "extended", REFUSED, w.run(DELETE)),
    ("delete", "extended with parameters", REFUSED, w.run("DELETE FROM victims WHERE id > $1", b"0")),
    ("delete", "extended, named", REFUSED, w.parse(DELETE, "s") + w.bind("s", "p") + w.execute("p") + w.SYNC),
    ("delete", "named now, run later", REFUSED, [w.parse(DELETE, "s") + w.SYNC, w.bind("s") + w.execute() + w.SYNC]),
    ("delete", "behind a harmless statement in one pipeline", REFUSED,
     w.parse("SELECT 1") + w.bind() + w.execute() + w.parse(DELETE) + w.bind() + w.execute() + w.SYNC),
    ("delete", "before a harmless statement in one pipeline", REFUSED,
     w.parse(DELETE) + w.bind() + w.execute() + w.parse("SELECT 1") + w.bind() + w.execute() + w.SYNC),
    ("delete", "between two flushes", REFUSED,
     w.parse(DELETE) + w.FLUSH + w.bind() + w.FLUSH + w.execute() + w.FLUSH + w.SYNC),
    ("delete", "in a transaction by messages", REFUSED,
     [w.query("BEGIN"), w.run("SELECT 1"), w.run(DELETE), w.query("COMMIT")]),
    ("delete", "in a pipelined transaction", REFUSED, w.run("BEGIN") + w.run(DELETE) + w.run("COMMIT")),
    ("delete", "two queries in one segment", REFUSED, w.query("SELECT 1") + w.query(DELETE)),
    ("delete", "a hundred queries in one segment", REFUSED, 100 * w.query("SELECT 1") + w.query(DELETE)),
    ("delete", "behind a failing query", REFUSED, w.query("SELECT 1 / 0") + w.query(DELETE)),
    ("delete", "behind a failing pipeline", REFUSED, w.run("SELECT 1 / 0") + w.run(DELETE)),
    ("delete", "a name that was closed and given again", REFUSED,
     w.parse("SELECT 1", "s") + w.close("s", "S") + w.parse(DELETE, "s") + w.bind("s") + w.execute() + w.SYNC),
    ("delete", "the unnamed statement given again", REFUSED,
     w.parse("SELECT 1") + w.parse(DELETE) + w.bind() + w.execute() + w.SYNC),
    ("delete", "the unnamed statement given again behind a portal", REFUSED,
     w.parse("SELECT 1") + w.bind() + w.parse(DELETE) + w.bind("", "p") + w.execute("p") + w.SYNC),
    ("delete", "prepared by text, bound by message", REFUSED,
     w.query("PREPARE s AS DELETE FROM victims") + w.bind("s") + w.execute() + w.SYNC),
    ("delete", "prepared by text over a closed name", REFUSED,
     [w.parse("SELECT 1", "s") + w.SYNC, w.query("DEALLOCATE s"), w.query("PREPARE s AS DELETE FROM victims"),
      w.bind("s") + w.execute() + w.SYNC]),
    ("delete", "prepared by message, executed by text", REFUSED, [w.parse(DELETE, "s") + w.SYNC, w.query("EXECUTE s")]),
    ("delete", "executed by text in one segment", REFUSED, w.parse(DELETE, "s") + w.SYNC + w.query("EXECUTE s")),
    ("delete", "explained by message", REFUSED, w.run("EXPLAIN ANALYZE DELETE FROM victims")),
    ("delete", "in an escape that a setting makes, by text", REFUSED,
     w.query("SET standard_conforming_strings = off") + w.query(BACKSLASH)),
    ("delete", "in an escape that a setting makes, turn by turn", REFUSED,
     [w.query("SET standard_conforming_strings TO 'off'"), w.query(BACKSLASH)]),
    ("delete", "in an escape that a setting of the session makes", REFUSED,
     w.query("SET SESSION standard_conforming_strings = 0") + w.query(BACKSLASH)),
    ("delete", "in an escape that a computed setting makes", ENDED, w.query(SETTING_OFF) + w.query(BACKSLASH)),
    ("delete", "in an escape that a computed setting makes, by message", ENDED, w.run(SETTING_OFF) + w.query(BACKSLASH)),
    ("vault", "in an escape that a setting makes, in one pipeline", REFUSED,
     w.parse("SET standard_conforming_strings = off") + w.bind() + w.execute() + w.parse(HIDDEN) + w.bind() + w.execute()
     + w.SYNC),
    ("vault", "in an escape that a computed setting makes, in one pipeline", ERROR,
     w.parse(SETTING_OFF) + w.bind() + w.execute() + w.parse(HIDDEN) + w.bind() + w.execute() + w.SYNC),
    ("vault", "in an escape that a local setting makes", REFUSED,
     w.query("BEGIN") + w.query("SET LOCAL standard_conforming_strings = off") + w.query(HIDDEN)),
    ("vault", "extended", REFUSED, w.run(VAULT)),
    ("vault", "extended, described only", REFUSED, w.parse("SELECT 1 AS \"" + SECRET + "\" FROM vault", "s") + w.describe("s", "S")
     + w.SYNC),
    ("vault", "a portal of a text's cursor", REFUSED,
     w.query("BEGIN") + w.query("DECLARE c CURSOR FOR TABLE vault") + w.execute("c") + w.SYNC),
    ("vault", "a portal in two parts", REFUSED,
     w.parse("SELECT secret FROM vault, generate_series(1, 3)") + w.bind("", "p") + w.execute("p", 1) + w.execute("p", 1)
     + w.SYNC),
    ("vault", "copied out by message", REFUSED, w.run("COPY vault TO STDOUT")),
    ("vault", "fetched by message", REFUSED, [w.query("BEGIN"), w.query("DECLARE c CURSOR FOR TABLE vault"), w.run("FETCH ALL c")]),
    ("card", "unnamed, not described", MASKED, w.run("SELECT number, n8 FROM cards")),
    ("card", "described as a statement only", MASKED,
     w.parse("SELECT n8 FROM cards", "s") + w.describe("s", "S") + w.bind("s", results=[w.BINARY]) + w.execute() + w.SYNC),
    ("card", "described as another portal", MASKED,
     w.parse("SELECT id FROM cards", "a") + w.parse("SELECT n8 FROM cards", "b") + w.bind("a", "a", results=[w.BINARY])
     + w.bind("b", "b", results=[w.BINARY]) + w.describe("b") + w.describe("a") + w.execute("b") + w.execute("a") + w.SYNC),
    ("card", "described, then bound again in binary", MASKED,
     w.parse("SELECT n8 FROM cards") + w.bind() + w.describe() + w.bind(results=[w.BINARY]) + w.execute() + w.SYNC),
    ("card", "described, then prepared and bound again", MASKED,
     w.parse("SELECT id FROM cards") + w.bind(results=[w.BINARY]) + w.describe() + w.parse("SELECT n8 FROM cards")
     + w.bind(results=[w.BINARY]) + w.execute() + w.SYNC),
    ("card", "described, closed and bound again", MASKED,
     w.parse("SELECT id FROM cards", "a") + w.parse("SELECT n8 FROM cards", "b") + w.bind("a", "p", results=[w.BINARY])
     + w.describe("p") + w.close("p") + w.bind("b", "p", results=[w.BINARY]) + w.execute("p") + w.SYNC),
    ("card", "described where nothing is heard", ERROR,
     [w.query("BEGIN"), w.parse("SELECT n8 FROM cards", "b") + w.bind("b", "p", results=[w.BINARY])
      + w.parse("SELECT id, id FROM cards", "a") + w.bind("a", "q", results=[w.BINARY]) + w.describe("q") + w.execute("q")
      + w.parse("ROLLBACK TO a", "r") + w.SYNC, w.query("SAVEPOINT a"),
      w.parse("SELECT nothing_there") + w.describe("p") + w.SYNC,
      w.bind("r") + w.execute() + w.execute("p") + w.SYNC]),
    ("card", "one row at a time", MASKED,
     w.parse("SELECT n8 FROM cards, generate_series(1, 3)") + w.bind("", "p", results=[w.BINARY]) + w.execute("p", 1)
     + w.execute("p", 1) + w.execute("p", 0) + w.SYNC),
    ("card", "one row at a time over turns", MASKED,
     [w.query("BEGIN"), w.parse("SELECT n8 FROM cards, generate_series(1, 3)") + w.bind("", "p", results=[w.BINARY])
      + w.execute("p", 1) + w.SYNC, w.query("SELECT 1, 2"), w.execute("p", 1) + w.SYNC, w.query("COMMIT")]),
    ("card", "mixed formats", MASKED, w.run("SELECT n8, n8, number FROM cards", results=[w.TEXT, w.BINARY, w.BINARY])),
    ("card", "fetched in binary", MASKED,
     [w.query("BEGIN"), w.query("DECLARE c CURSOR FOR SELECT n8 FROM cards"), w.run("FETCH ALL c", results=[w.BINARY])]),
    ("card", "executed by text in binary", MASKED,
     [w.query("PREPARE q AS SELECT n8 FROM cards"), w.run("EXECUTE q", results=[w.BINARY])]),
    ("card", "a portal of a text's cursor", ERROR,
     [w.query("BEGIN"), w.query("DECLARE c BINARY CURSOR FOR SELECT n8 FROM cards"), w.execute("c") + w.SYNC]),
    ("card", "a portal over a text's cursor", ERROR,
     [w.query("BEGIN"), w.parse("SELECT id FROM cards", "s") + w.bind("s", "c", results=[w.BINARY]) + w.describe("c")
      + w.parse("CLOSE c", "x") + w.parse("DECLARE c BINARY CURSOR FOR SELECT n8 FROM cards", "d") + w.bind("x", "1")
      + w.execute("1") + w.bind("d", "2") + w.execute("2") + w.execute("c") + w.SYNC]),
    ("card", "a parameter that comes back as text", MASKED, w.run("SELECT $1::text", CARD.encode())),
    ("card", "a binary parameter that comes back", MASKED,
     w.parse("SELECT $1::int8") + w.bind(values=[struct.pack("!q", int(CARD))], formats=[w.BINARY], results=[w.BINARY])
     + w.execute() + w.SYNC),
    ("card", "a parameter in an error", ERROR, w.run("SELECT $1::text::int", CARD.encode())),
    ("card", "a parameter that is no number", ERROR, w.run("SELECT $1::int", CARD.encode())),
    ("card", "copied out in binary", ENDED, w.query("COPY cards (number, n8) TO STDOUT (FORMAT binary)")),
    ("card", "copied out in binary by message", ENDED, w.run("COPY cards (n8) TO STDOUT (FORMAT binary)")),
    ("card", "copied out in binary by the old grammar", ENDED, w.query("COPY BINARY cards TO STDOUT")),
    ("card", "copied out by message", MASKED, w.run("COPY cards (number, n8) TO STDOUT")),
    ("card", "a reported setting that is computed", MASKED,
     w.query("SELECT set_config('application_name', number, false) FROM cards")),
    ("card", "a reported setting that is computed, by message", MASKED,
     w.run("SELECT set_config('application_name', number, false) FROM cards")),
    ("card", "in a notice of a pipeline", MASKED, w.run("SELECT shout(number) FROM cards")),
    ("card", "in a notification of a pipeline", MASKED,
     [w.run("LISTEN n"), w.run("SELECT pg_notify('n', number) FROM cards"), w.run("SELECT 1")]),
    *(("card", f"{column} in binary", MASKED, w.run(f"SELECT {column} FROM cards{' GROUP BY id' if 'agg' in column else ''}",
                                                    results=[w.BINARY])) for column in BINARY_COLUMNS),
    ("mail", "in binary", MASKED, w.run("SELECT mail, mails, ROW(mail) FROM cards", results=[w.BINARY])),
]

# Under rules that list what is allowed.
LISTED_ATTEMPTS = [
    ("vault", "search_path by text", REFUSED, [w.query("SET search_path = other"), w.query("SELECT note FROM orders")]),
    ("vault", "search_path in one text", REFUSED, w.query("SET search_path = other; SELECT note FROM orders")),
    ("vault", "search_path in one segment", REFUSED, w.query("SET search_path = other") + w.query("SELECT note FROM orders")),
    ("vault", "search_path in one pipeline", REFUSED,
     w.parse("SET search_path = other") + w.bind() + w.execute() + w.parse("SELECT note FROM orders") + w.bind()
     + w.execute() + w.SYNC),
    ("vault", "search_path under a prepared statement", REFUSED,
     [w.parse("SELECT note FROM orders", "s") + w.SYNC, w.query("SET search_path = other"),
      w.bind("s") + w.execute() + w.SYNC]),
    ("vault", "search_path by set_config", REFUSED,
     [w.query("SELECT set_config('search_path', 'other', false)"), w.query("SELECT note FROM orders")]),
    ("vault", "search_path by a computed set_config", REFUSED,
     [w.query("SELECT set_config('search' || '_path', 'other', false)"), w.query("SELECT note FROM orders")]),
    ("vault", "search_path in a transaction", REFUSED,
     [w.query("BEGIN"), w.query("SET LOCAL search_path = other"), w.query("SELECT note FROM orders")]),
    ("vault", "schema by SET SCHEMA", REFUSED, [w.query("SET SCHEMA 'other'"), w.query("SELECT note FROM orders")]),
    ("vault", "another schema", REFUSED, w.query("SELECT note FROM other.orders")),
    ("vault", "another schema, quoted", REFUSED, w.query('SELECT note FROM "other"."orders"')),
    ("vault", "another relation", REFUSED, w.query(VAULT)),
    ("vault", "another relation in a subquery", REFUSED, w.query("SELECT (SELECT secret FROM vault) FROM orders")),
    ("vault", "a function of another schema", REFUSED, w.query("SELECT other.lower('x')")),
    ("vault", "a function of another schema by search_path", REFUSED,
     [w.query("SET search_path = other, pg_catalog, public"), w.query("SELECT lower('x')")]),
    ("vault", "a temporary table in front", REFUSED,
     [w.query("CREATE TEMP TABLE orders AS SELECT * FROM other.orders"), w.query("SELECT note FROM orders")]),
    ("delete", "a class that is not listed", REFUSED, w.query(DELETE)),
    ("delete", "a CTE of a class that is not listed", REFUSED,
     w.query("WITH d AS (DELETE FROM victims RETURNING id) SELECT * FROM d")),
    ("delete", "explained", REFUSED, w.query("EXPLAIN ANALYZE DELETE FROM victims")),
    ("delete", "a DO block", REFUSED, w.query("DO 'BEGIN DELETE FROM victims; END'")),
]


def turns_of(way) -> list[bytes]:
    if isinstance(way, str):
        return [w.query(way)]
    return [way] if isinstance(way, bytes) else way


def is_end(messages: list[w.Message]) -> bool:
    return any(message.tag == "D" and END.encode() in message.body for message in messages[-4:])


class World:
    """Where attempts are made: behind the gateway, or without it."""

    def __init__(self, cluster, port, user, secret, database, role, is_shared=False):
        self.cluster, self.port, self.user, self.secret, self.database = cluster, port, user, secret, database
        self.role = role  # At the target.
        self.is_shared = is_shared  # Its connections outlive a session.
        self._watch = w.Client(cluster.port).log_in("direct", PASSWORD, database)

    def fill(self, way: str) -> str:
        dsn = f"host=127.0.0.1 port={self.cluster.port} user=direct password={PASSWORD} dbname={self.database}"
        for name, value in (("dsn", dsn), ("psql", f"{BIN}/psql ''{dsn}''"), ("database", self.database), ("card", CARD),
                            ("secret", SECRET), ("folder", str(self.cluster.data))):
            way = way.replace("{" + name + "}", value)
        return way

    def settle(self) -> None:
        """What a session that is gone had sent on is done, or will never be."""
        own = w.query(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.database}'"
                      f" AND usename = '{self.role}' AND pid <> pg_backend_pid()"
                      + (" AND state <> 'idle'" if self.is_shared else ""))
        wait_until(lambda: [m.values() for m in self._watch.ask(own) if m.tag == "D"] == [[b"0"]],
                   "the attempt's session to end")

    def victims(self) -> int:
        rows = [m for m in self._watch.ask(w.query("SELECT count(*) FROM victims")) if m.tag == "D"]
        return int(rows[0].values()[0]) if rows else 0

    def restore(self) -> None:
        self._watch.ask(w.query("CREATE TABLE IF NOT EXISTS victims (id int PRIMARY KEY, note text)"))
        self._watch.ask(w.query("INSERT INTO victims SELECT i, 'victim' FROM generate_series(1, 3) i"
                                " ON CONFLICT DO NOTHING"))

    def attempt(self, way, byte_by_byte: bool = False) -> w.Client:
        with w.Client(self.port, byte_by_byte=byte_by_byte).log_in(self.user, self.secret, self.database) as client:
            client.received.clear()
            for turn in turns_of(way):
                client.send(turn)
                client.messages += client.read_until("Z")
            if not client.has_ended:
                client.send(w.SYNC + w.query("ROLLBACK") + w.query(f"SELECT '{END}'"))
                while not client.has_ended and not is_end(client.messages):
                    client.messages += client.read_until("Z")
        self.settle()
        return client

    def leaks(self, goal: str, client: w.Client) -> bool:
        if goal == "delete":
            if self.victims() == 3:
                return False
            self.restore()
            return True
        return any(shape in client.received for shape in SHAPES[goal])


def outcome(client: w.Client) -> str:
    errors = [m.fields() for m in client.messages if m.tag == "E"]
    if any(e.get("M") == "the gateway's policy refused the statement" and e.get("C") == "42501" for e in errors):
        return REFUSED
    if client.has_ended:
        return ENDED
    return ERROR if errors else MASKED


def attempts():
    """Each once: goal, name, expected outcome, way."""
    yield from ((goal, name, REFUSED, way) for goal, name, way in TEXTS)
    for goal, name, way in SEEN:
        yield goal, name, ERROR if name in ERRORS_SEEN or name.startswith("in an error") else MASKED, way
    yield from MESSAGES


def check_attempts(direct: World, behind: World, table, byte_by_byte: bool) -> list[str]:
    faults = []
    for goal, name, expected, way in table:
        label = f"{goal}: {name}{' (byte by byte)' if byte_by_byte else ''}"
        fill = (lambda world: world.fill(way) if isinstance(way, str) else way)
        try:
            if direct and not direct.leaks(goal, direct.attempt(fill(direct))):
                faults.append(f"{label}: does nothing even without the gateway")
            client = behind.attempt(fill(behind), byte_by_byte)
        except (AssertionError, OSError) as fault:
            faults.append(f"{label}: {fault!r}")
            continue
        if behind.leaks(goal, client):
            faults.append(f"{label}: LEAKS {bytes(client.received[-300:])!r}")
        elif outcome(client) != expected:
            faults.append(f"{label}: expected {expected}, is {outcome(client)}: {client.messages[-6:]}")
    return faults


def run(context) -> None:
    cluster = Cluster(context)
    for database in ("shop", "bare"):
        if database != "shop":
            cluster.psql(f"CREATE DATABASE {database}")
        cluster.psql(SETUP, database=database)
    guarded = PostgresGateway(context, cluster, name="guarded", policies=DENIED, masks=MASKS).start()
    listed = PostgresGateway(context, cluster, name="listed", policies=LISTED).start()
    shared = PostgresGateway(context, cluster, name="shared", policies=DENIED, masks=MASKS,
                             mode="transaction", pool="connections: 3").start()
    direct = World(cluster, cluster.port, "direct", PASSWORD, "bare", "direct")
    behind = World(cluster, guarded.port, "tester", guarded.key, "shop", "app")
    shares = World(cluster, shared.port, "tester", shared.key, "shop", "app", is_shared=True)
    narrow = World(cluster, listed.port, "tester", listed.key, "shop", "app")
    table = list(attempts())
    began = time.monotonic()
    faults = check_attempts(direct, behind, table, False)
    faults += check_attempts(direct, narrow, LISTED_ATTEMPTS, False)
    middle = time.monotonic()
    faults += check_attempts(None, behind, table, True)
    end = time.monotonic()
    faults += check_attempts(None, shares, table, False)
    print(f"{len(table) + len(LISTED_ATTEMPTS)} attempts in {middle - began:.1f} s,"
          f" {len(table)} byte by byte in {end - middle:.1f} s,"
          f" and on shared connections in {time.monotonic() - end:.1f} s")
    expect(not faults, f"{len(faults)} of the attempts:\n" + "\n".join(faults))
    # A name can be a card number, too.
    guarded.psql(f'SELECT 1 AS "{CARD}"')
    for gateway in (guarded, listed, shared):
        gateway.stop()
        records = gateway.expect_complete()
        shown = [r for r in records if CARD in str(r)]
        expect(not shown, f"{len(shown)} records hold the card number: {shown[:1]}")
