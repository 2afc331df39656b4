/* libpq's pipeline mode, its single rows, COPY, cancel and notifications. Ends with 0
   when all came as it does from the server itself; SSN is what the column shows, and
   REFUSES says that a DELETE is refused. */
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn* connection;

static void expect(int holds, const char* form, ...) {
  va_list arguments;
  if (holds) return;
  va_start(arguments, form);
  vfprintf(stderr, form, arguments);
  va_end(arguments);
  fprintf(stderr, "\n%s", PQerrorMessage(connection));
  exit(1);
}

static PGresult* next(ExecStatusType status, const char* what) {
  PGresult* result = PQgetResult(connection);
  expect(result != NULL && PQresultStatus(result) == status, "%s came with %s, not %s", what,
         result ? PQresStatus(PQresultStatus(result)) : "nothing", PQresStatus(status));
  return result;
}

static void pass(ExecStatusType status, const char* what) {
  PQclear(next(status, what));
  if (status != PGRES_PIPELINE_SYNC) expect(PQgetResult(connection) == NULL, "%s goes on", what);
}

static void fail_with(const char* state, const char* what) {
  PGresult* result = next(PGRES_FATAL_ERROR, what);
  const char* got = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  expect(got != NULL && strcmp(got, state) == 0, "%s failed with %s, not %s", what, got, state);
  if (strcmp(state, "42501") == 0) {
    const char* detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    expect(detail != NULL && strstr(detail, "rule nothing is deleted, record ") != NULL,
           "the refusal says %s", detail);
  }
  PQclear(result);
  expect(PQgetResult(connection) == NULL, "%s goes on", what);
}

static void run(const char* sql, ExecStatusType status) {
  PGresult* result = PQexec(connection, sql);
  expect(PQresultStatus(result) == status, "%s", sql);
  PQclear(result);
}

static void pipelines(const char* ssn) {
  const char* values[1];
  char number[16];
  int i;
  values[0] = number;
  expect(PQenterPipelineMode(connection), "no pipeline mode");

  /* 500 statements and one Sync. */
  expect(PQsendPrepare(connection, "by_id", "SELECT id, ssn FROM people WHERE id = $1::int", 1, NULL),
         "prepare");
  for (i = 0; i < 500; ++i) {
    snprintf(number, sizeof number, "%d", i % 100 + 1);
    expect(PQsendQueryPrepared(connection, "by_id", 1, values, NULL, NULL, i % 2), "query %d", i);
  }
  expect(PQpipelineSync(connection), "sync");
  pass(PGRES_COMMAND_OK, "Parse");
  for (i = 0; i < 500; ++i) {
    PGresult* row = next(PGRES_TUPLES_OK, "a row");
    const unsigned char* id = (const unsigned char*)PQgetvalue(row, 0, 0);
    const int got = i % 2 ? id[0] << 24 | id[1] << 16 | id[2] << 8 | id[3] : atoi((const char*)id);
    expect(PQntuples(row) == 1 && got == i % 100 + 1, "row %d is of %d", i, got);
    expect(strcmp(PQgetvalue(row, 0, 1), ssn) == 0, "ssn is %s", PQgetvalue(row, 0, 1));
    PQclear(row);
    expect(PQgetResult(connection) == NULL, "a row goes on");
  }
  pass(PGRES_PIPELINE_SYNC, "Sync");

  /* An error: what follows up to Sync is skipped, what comes after is not. */
  expect(PQsendQueryParams(connection, "INSERT INTO kept VALUES (1)", 0, NULL, NULL, NULL, NULL, 0) &&
             PQsendQueryParams(connection, "SELECT 1 / 0", 0, NULL, NULL, NULL, NULL, 0) &&
             PQsendQueryParams(connection, "SELECT 'skipped'", 0, NULL, NULL, NULL, NULL, 0) &&
             PQpipelineSync(connection) &&
             PQsendQueryParams(connection, "SELECT count(*) FROM kept", 0, NULL, NULL, NULL, NULL, 0) &&
             PQpipelineSync(connection),
         "send");
  pass(PGRES_COMMAND_OK, "INSERT");
  fail_with("22012", "1 / 0");
  pass(PGRES_PIPELINE_ABORTED, "what follows an error");
  pass(PGRES_PIPELINE_SYNC, "Sync");
  {
    PGresult* count = next(PGRES_TUPLES_OK, "count");
    expect(strcmp(PQgetvalue(count, 0, 0), "0") == 0, "a failed pipeline left a row");
    PQclear(count);
    expect(PQgetResult(connection) == NULL, "count goes on");
  }
  pass(PGRES_PIPELINE_SYNC, "Sync");

  if (getenv("REFUSES") != NULL) {
    /* A refusal ends its pipeline as an error does. */
    expect(PQsendQueryParams(connection, "INSERT INTO kept VALUES (2)", 0, NULL, NULL, NULL, NULL, 0) &&
               PQsendQueryParams(connection, "DELETE FROM people", 0, NULL, NULL, NULL, NULL, 0) &&
               PQsendQueryParams(connection, "SELECT 'skipped'", 0, NULL, NULL, NULL, NULL, 0) &&
               PQpipelineSync(connection) &&
               PQsendQueryParams(connection, "SELECT count(*) FROM kept", 0, NULL, NULL, NULL, NULL, 0) &&
               PQpipelineSync(connection),
           "send");
    pass(PGRES_COMMAND_OK, "INSERT");
    fail_with("42501", "DELETE");
    pass(PGRES_PIPELINE_ABORTED, "what follows a refusal");
    pass(PGRES_PIPELINE_SYNC, "Sync");
    {
      PGresult* count = next(PGRES_TUPLES_OK, "count");
      expect(strcmp(PQgetvalue(count, 0, 0), "0") == 0, "a refused pipeline left a row");
      PQclear(count);
      expect(PQgetResult(connection) == NULL, "count goes on");
    }
    pass(PGRES_PIPELINE_SYNC, "Sync");
  }
  expect(PQexitPipelineMode(connection), "the pipeline does not end");
}

static void single_rows(void) {
  PGresult* row;
  int rows = 0;
  expect(PQsendQuery(connection, "SELECT id FROM people ORDER BY id") &&
             PQsetSingleRowMode(connection), "single rows");
  while ((row = PQgetResult(connection)) != NULL) {
    if (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
      ++rows;
      expect(atoi(PQgetvalue(row, 0, 0)) == rows, "row %d is another", rows);
    }
    PQclear(row);
  }
  expect(rows == 100, "%d rows", rows);
}

static void copies(void) {
  static char out[1 << 16];
  size_t size = 0;
  char* line;
  int length, i;
  run("COPY kept FROM STDIN", PGRES_COPY_IN);
  for (i = 0; i < 1000; ++i) {
    char text[16];
    const int bytes = snprintf(text, sizeof text, "%d\n", i);
    expect(PQputCopyData(connection, text, bytes) == 1, "COPY in");
  }
  expect(PQputCopyEnd(connection, NULL) == 1, "end of COPY");
  pass(PGRES_COMMAND_OK, "COPY");
  run("COPY (SELECT * FROM kept ORDER BY 1) TO STDOUT", PGRES_COPY_OUT);
  while ((length = PQgetCopyData(connection, &line, 0)) > 0) {
    memcpy(out + size, line, (size_t)length);
    size += (size_t)length;
    PQfreemem(line);
  }
  pass(PGRES_COMMAND_OK, "COPY out");
  expect(size == 3890 && memcmp(out, "0\n1\n2\n", 6) == 0, "COPY brought %d bytes", (int)size);
  run("COPY kept FROM STDIN", PGRES_COPY_IN);
  expect(PQputCopyEnd(connection, "changed my mind") == 1, "CopyFail");
  fail_with("57014", "CopyFail");
  run("TRUNCATE kept", PGRES_COMMAND_OK);
}

static void cancel(void) {
  char error[256];
  PGcancel* key = PQgetCancel(connection);
  expect(PQsendQuery(connection, "SELECT pg_sleep(60)"), "sleep");
  expect(PQflush(connection) == 0, "flush");
  /* The request may come before its statement runs; then it changes nothing. */
  while (PQisBusy(connection)) {
    expect(PQcancel(key, error, sizeof error), "cancel: %s", error);
    expect(PQconsumeInput(connection), "input");
  }
  fail_with("57014", "a cancelled statement");
  PQfreeCancel(key);
}

static void notifications(void) {
  PGnotify* notice;
  run("LISTEN news", PGRES_COMMAND_OK);
  run("NOTIFY news, 'hello'", PGRES_COMMAND_OK);
  expect(PQconsumeInput(connection), "input");
  notice = PQnotifies(connection);
  expect(notice != NULL && strcmp(notice->extra, "hello") == 0, "no notification");
  PQfreemem(notice);
}

int main(void) {
  const char* ssn = getenv("SSN");
  connection = PQconnectdb("");
  expect(PQstatus(connection) == CONNECTION_OK, "no connection");
  run("CREATE TEMPORARY TABLE kept (n int)", PGRES_COMMAND_OK);
  pipelines(ssn);
  single_rows();
  copies();
  notifications();
  cancel();
  run("SELECT 'still here'", PGRES_TUPLES_OK);
  PQfinish(connection);
  return 0;
}
