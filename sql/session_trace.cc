#include "sql/session_trace.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace sluice::sql {
namespace {

/// Functions of PostgreSQL 15 that change nothing of their session, each between
/// blanks: the stable and immutable ones that queries call, and some of the others.
/// What lasts as long as its transaction does not count.
constexpr std::string_view harmless =
    " "
    "abbrev abs acos acosd acosh age area array_agg array_dims array_fill array_length "
    "array_lower array_ndims array_position array_positions array_remove array_replace "
    "array_to_json array_to_string array_to_tsvector array_upper ascii asin asind asinh "
    "atan atan2 atan2d atand atanh avg bit bit_and bit_count bit_length bit_or bit_xor "
    "bool bool_and bool_or box bpchar broadcast cardinality cash_words cbrt ceil ceiling "
    "center char char_length character_length chr cidr circle clock_timestamp "
    "col_description concat concat_ws convert convert_from convert_to corr cos cosd cosh "
    "cot cotd count covar_pop covar_samp cume_dist current_database current_query "
    "current_schema current_schemas current_setting current_user currval date date_bin "
    "date_part date_trunc datemultirange daterange decode degrees dense_rank diagonal "
    "diameter div encode enum_first enum_last enum_range every exp extract factorial "
    "family first_value float4 float8 floor format format_type gcd gen_random_uuid "
    "generate_series generate_subscripts get_bit get_byte get_current_ts_config "
    "getdatabaseencoding getpgusername has_any_column_privilege has_column_privilege "
    "has_database_privilege has_foreign_data_wrapper_privilege has_function_privilege "
    "has_language_privilege has_parameter_privilege has_schema_privilege "
    "has_sequence_privilege has_server_privilege has_table_privilege "
    "has_tablespace_privilege has_type_privilege height host hostmask inet_client_addr "
    "inet_client_port inet_server_addr inet_server_port initcap int2 int4 int4multirange "
    "int4range int8 int8multirange int8range interval is_normalized isclosed isempty "
    "isfinite ishorizontal isopen isparallel isperp isvertical json_agg "
    "json_array_elements json_array_elements_text json_array_length json_build_array "
    "json_build_object json_each json_each_text json_object json_object_agg "
    "json_object_keys json_populate_record json_populate_recordset json_strip_nulls "
    "json_to_record json_to_recordset json_to_tsvector json_typeof jsonb_agg "
    "jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array "
    "jsonb_build_object jsonb_each jsonb_each_text jsonb_insert jsonb_object "
    "jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz "
    "jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first "
    "jsonb_path_query_tz jsonb_populate_record jsonb_populate_recordset jsonb_pretty "
    "jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset "
    "jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lag "
    "last_value lastval lcm lead left length like like_escape line ln log log10 lower "
    "lower_inc lower_inf lpad lseg ltrim macaddr macaddr8 make_date make_interval "
    "make_time make_timestamp make_timestamptz masklen max md5 min min_scale mod mode "
    "money multirange mxid_age name netmask network normalize notlike now npoints "
    "nth_value ntile num_nonnulls num_nulls numeric nummultirange numnode numrange "
    "obj_description octet_length oid oidvectortypes overlaps overlay parse_ident path "
    "percent_rank percentile_cont percentile_disc pg_advisory_unlock "
    "pg_advisory_unlock_all pg_advisory_unlock_shared pg_advisory_xact_lock "
    "pg_advisory_xact_lock_shared pg_available_extension_versions pg_available_extensions "
    "pg_backend_pid pg_blocking_pids pg_cancel_backend pg_char_to_encoding "
    "pg_client_encoding pg_collation_for pg_collation_is_visible pg_column_compression "
    "pg_column_is_updatable pg_column_size pg_conversion_is_visible pg_current_snapshot "
    "pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned "
    "pg_database_size pg_describe_object pg_encoding_max_length pg_encoding_to_char "
    "pg_export_snapshot pg_extension_update_paths pg_function_is_visible "
    "pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr "
    "pg_get_function_arg_default pg_get_function_arguments "
    "pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody "
    "pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_object_address "
    "pg_get_partition_constraintdef pg_get_partkeydef pg_get_replica_identity_index "
    "pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef "
    "pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions "
    "pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_identify_object "
    "pg_identify_object_as_address pg_index_column_has_property pg_index_has_property "
    "pg_indexam_has_property pg_indexes_size pg_is_in_recovery pg_is_other_temp_schema "
    "pg_last_wal_replay_lsn pg_listening_channels pg_lock_status pg_lsn pg_my_temp_schema "
    "pg_notify pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible "
    "pg_partition_ancestors pg_partition_root pg_partition_tree pg_postmaster_start_time "
    "pg_relation_filepath pg_relation_is_updatable pg_relation_size "
    "pg_sequence_last_value pg_sequence_parameters pg_settings_get_flags "
    "pg_show_all_settings pg_size_bytes pg_size_pretty pg_sleep pg_sleep_for "
    "pg_sleep_until pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin "
    "pg_statistics_obj_is_visible pg_table_is_visible pg_table_size "
    "pg_tablespace_location pg_tablespace_size pg_terminate_backend pg_timezone_abbrevs "
    "pg_timezone_names pg_total_relation_size pg_trigger_depth pg_try_advisory_xact_lock "
    "pg_try_advisory_xact_lock_shared pg_ts_config_is_visible pg_ts_dict_is_visible "
    "pg_ts_template_is_visible pg_type_is_visible pg_typeof pg_visible_in_snapshot "
    "pg_wal_lsn_diff pg_xact_status phraseto_tsquery pi plainto_tsquery point polygon "
    "position pow power quote_ident quote_literal quote_nullable radians radius random "
    "range_agg range_intersect_agg range_merge rank regclass regexp_count regexp_instr "
    "regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array "
    "regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count regr_intercept "
    "regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right round "
    "row_number row_security_active row_to_json rpad rtrim scale session_user set_bit "
    "set_byte set_masklen setweight sha224 sha256 sha384 sha512 shobj_description sign "
    "similar_escape similar_to_escape sin sind sinh slope split_part sqrt "
    "statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array "
    "string_to_table strip strpos substr substring sum tan tand tanh text time timeofday "
    "timestamp timestamptz timetz timezone to_ascii to_char to_date to_hex to_json "
    "to_jsonb to_number to_regclass to_regcollation to_regnamespace to_regoper "
    "to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_timestamp "
    "to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc "
    "ts_delete ts_filter ts_headline ts_lexize ts_rank ts_rank_cd tsmultirange "
    "tsquery_phrase tsrange tstzmultirange tstzrange tsvector_to_array txid_current "
    "txid_current_if_assigned txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax "
    "txid_snapshot_xmin txid_status txid_visible_in_snapshot unistr unnest upper "
    "upper_inc upper_inf var_pop var_samp varbit varchar variance version "
    "websearch_to_tsquery width width_bucket xid xml xml_is_well_formed "
    "xml_is_well_formed_content xml_is_well_formed_document xmlagg xmlcomment xmlexists "
    "xmlvalidate xpath xpath_exists ";

constexpr auto lasting =
    std::to_array<std::string_view>({"set_config", "pg_advisory_lock", "pg_advisory_lock_shared",
                                     "pg_try_advisory_lock", "pg_try_advisory_lock_shared"});

/// DISCARD ALL does not undo these.
constexpr auto indelible = std::to_array<std::string_view>(
    {"setseed", "pg_backup_start", "pg_create_physical_replication_slot",
     "pg_create_logical_replication_slot", "pg_copy_physical_replication_slot",
     "pg_copy_logical_replication_slot", "pg_replication_origin_session_setup"});

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_harmless(std::string_view name) {
  if (name.empty() || name.find(' ') != name.npos) return false;
  for (std::size_t at = harmless.find(name); at != harmless.npos;
       at = harmless.find(name, at + 1)) {
    if (harmless[at - 1] == ' ' && harmless[at + name.size()] == ' ') return true;
  }
  return false;
}

bool has_lasting_setting(const Statement& statement) {
  // RESET brings back what the connection began with.
  if (statement.kind == StatementClass::reset) return false;
  return std::ranges::any_of(statement.settings,
                             [](const Setting& setting) { return !setting.is_local; });
}

SessionTrace trace_of(const FunctionName& function, const Statement& statement) {
  if (!function.schema.empty() && function.schema != "pg_catalog") return SessionTrace::unknown;
  if (function.name == "nextval" || function.name == "setval") return SessionTrace::sequences;
  if (is_one_of(function.name, indelible)) return SessionTrace::indelible;
  if (function.name == "set_config" && !statement.settings.empty() &&
      !has_lasting_setting(statement)) {
    return SessionTrace::none;  // until the transaction ends
  }
  if (is_one_of(function.name, lasting)) return SessionTrace::state;
  return is_harmless(function.name) ? SessionTrace::none : SessionTrace::unknown;
}

SessionTrace trace_of(ClassSet classes) {
  static constexpr auto keeping = std::to_array<StatementClass>(
      {StatementClass::listen, StatementClass::prepare, StatementClass::execute});
  static constexpr auto writing = std::to_array<StatementClass>(
      {StatementClass::insert, StatementClass::update, StatementClass::delete_,
       StatementClass::merge, StatementClass::copy_in});
  const auto has = [classes](StatementClass one) { return classes.has(one); };
  if (std::ranges::any_of(keeping, has)) return SessionTrace::state;
  // What is made may be temporary by search_path alone.
  if (has(StatementClass::create)) return SessionTrace::unknown;
  return std::ranges::any_of(writing, has) ? SessionTrace::sequences : SessionTrace::none;
}

}  // namespace

SessionTrace session_trace(const Statement& statement) {
  if (statement.is_opaque() || statement.classes.has(StatementClass::load)) {
    return SessionTrace::indelible;
  }
  SessionTrace trace = trace_of(statement.classes);
  if (statement.is_temporary || statement.is_held || has_lasting_setting(statement)) {
    trace = SessionTrace::state;
  }
  for (const FunctionName& function : statement.functions) {
    trace = std::max(trace, trace_of(function, statement));
  }
  return trace;
}

}  // namespace sluice::sql
