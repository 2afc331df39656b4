#include "sql/session_trace.h"

#include <catch2/catch.hpp>
#include <string>

using namespace sluice;
using namespace sluice::sql;

namespace {

SessionTrace trace_of(const std::string& text) {
  const auto analysis = analyse(text);
  REQUIRE(analysis);
  REQUIRE(analysis->statements.size() == 1);
  return session_trace(analysis->statements[0]);
}

}  // namespace

TEST_CASE("Queries and what ends with its transaction leave nothing in the session") {
  for (const char* text : {"select lower(name), count(*) from t group by 1",
                           "begin",
                           "commit",
                           "savepoint a",
                           "select pg_catalog.now()",
                           "set local search_path = a",
                           "set transaction read only",
                           "set constraints all deferred",
                           "select set_config('a.b', 'c', true)",
                           "declare c cursor for select 1",
                           "select pg_advisory_xact_lock(1)",
                           "lock table t",
                           "notify n",
                           "unlisten *",
                           "reset all",
                           "discard all",
                           "deallocate all",
                           "close all",
                           "explain select 1",
                           "show all",
                           "drop table t",
                           "truncate t",
                           "copy t to stdout"}) {
    INFO(text);
    CHECK(trace_of(text) == SessionTrace::none);
  }
}

TEST_CASE("What writes may have drawn from a sequence") {
  for (const char* text :
       {"insert into t values (1)", "update t set a = 1 where b = 2", "delete from t where a = 1",
        "with w as (insert into t values (1) returning a) select * from w", "copy t from stdin",
        "select nextval('s')", "select setval('s', 1)",
        "explain analyze insert into t values (1)"}) {
    INFO(text);
    CHECK(trace_of(text) == SessionTrace::sequences);
  }
}

TEST_CASE("A function that is not known may leave anything") {
  for (const char* text :
       {"select mine(1)", "select public.lower('a')", "insert into t select mine(1)",
        "select 1 from t where mine(a)", "create table t (a int)", "select 1 into t",
        "select \"lower upper\"(1)", "select loo(1)"}) {
    INFO(text);
    CHECK(trace_of(text) == SessionTrace::unknown);
  }
}

TEST_CASE("What later statements of a session rely on is state") {
  for (const char* text : {"set search_path = a",
                           "set session timezone = 'UTC'",
                           "set role r",
                           "set session authorization r",
                           "set session characteristics as transaction read only",
                           "select set_config('a.b', 'c', false)",
                           "select set_config('a.b', 'c', $1)",
                           "select set_config('a.b', 'c', 'f')",
                           "select set_config('a', 'b', true), set_config('a', 'c', false)",
                           "select 1 where set_config('a.b', 'c', not true) = ''",
                           "explain select set_config('a', 'b', false)",
                           "listen n",
                           "prepare p as select 1",
                           "execute p",
                           "explain analyze execute p",
                           "declare c cursor with hold for select 1",
                           "declare c insensitive no scroll cursor with hold for select 1",
                           "select pg_advisory_lock(1)",
                           "select pg_try_advisory_lock_shared(1)",
                           "select pg_catalog.pg_advisory_lock(1, 2)",
                           "create temp table t (a int)",
                           "create temporary view v as select 1",
                           "create temp sequence s",
                           "select 1 into temp t",
                           "select 1 into temp t union select 2",
                           "create table pg_temp.t (a int)",
                           "create temp table t as select 1",
                           "create domain pg_temp.d as int",
                           "create type pg_temp.c as (a int)",
                           "explain analyze create temp table t as select 1"}) {
    INFO(text);
    CHECK(trace_of(text) == SessionTrace::state);
  }
}

TEST_CASE("What a session runs unseen, and what the server does not undo, is indelible") {
  for (const char* text :
       {"do 'begin end'", "call p()", "load 'lib'", "select dblink_connect('c', '')",
        "create function f() returns int language sql as 'select 1'",
        "select pg_create_physical_replication_slot('s', true, true)", "select setseed(0.5)",
        "select pg_backup_start('b')"}) {
    INFO(text);
    CHECK(trace_of(text) == SessionTrace::indelible);
  }
}
