// The objects of the control API.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "config/model/notification_settings.h"
#include "control/api/shape.h"

namespace sluice::control::api {

extern const Shape problem_shape;
extern const Shape status_shape;
extern const Shape listener_shape;
extern const Shape target_shape;
extern const Shape reloaded_shape;
extern const Shape draining_shape;
extern const Shape sessions_shape;
extern const Shape policy_question_shape;
extern const Shape policy_answer_shape;
extern const Shape versions_shape;
extern const Shape policy_diff_question_shape;
extern const Shape policy_changes_shape;
extern const Shape dry_run_question_shape;
extern const Shape dry_run_shape;
extern const Shape records_shape;
extern const Shape session_shape;
extern const Shape requests_shape;
extern const Shape request_shape;
extern const Shape reason_shape;
extern const Shape legal_holds_shape;
extern const Shape legal_hold_shape;
extern const Shape new_legal_hold_shape;
extern const Shape stated_reason_shape;
extern const Shape recordings_shape;
extern const Shape recording_shape;
extern const Shape recording_detail_shape;
extern const Shape removal_shape;
extern const Shape removed_shape;
extern const Shape sign_in_shape;
extern const Shape new_token_shape;
extern const Shape token_shape;
extern const Shape revoked_shape;
extern const Shape keys_shape;

inline constexpr std::array<std::string_view, 2> protocol_words{"http", "postgres"};
inline constexpr std::array<std::string_view, 3> rulings{"allow", "deny", "hold"};
inline constexpr std::span<const std::string_view> request_states = config::request_events;
inline constexpr std::array<std::string_view, 5> session_states{"arriving", "idle", "busy", "held",
                                                                "ending"};
inline constexpr std::uint64_t reason_bytes_max = 1024;

}  // namespace sluice::control::api
