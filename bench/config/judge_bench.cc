// What a ruling costs, and looking up the path for it, with ten rules and with ten thousand.
//
// Every request of a run differs from the one before, so that a large policy
// pays for its cache misses. Each case checks its rulings before it is timed.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "config/model/policy.h"

namespace {

using namespace sluice;
using namespace sluice::config;

constexpr std::size_t requests_count = 4096;

struct Request {
  std::string method;
  std::vector<std::uint32_t> paths;
  std::vector<std::uint32_t> headers;
};

struct Scene {
  Settings settings;
  Principal principal;
  std::vector<Request> requests;
  Ruling::Kind expected = Ruling::Kind::allow;
};

Scene empty_scene() {
  Scene scene;
  scene.settings.targets.resize(1);
  scene.settings.targets[0].name = "api";
  scene.settings.listeners.resize(1);
  scene.settings.listeners[0].target = "api";
  scene.principal.subject = "ann";
  scene.principal.groups = {"g0", "staff"};
  scene.principal.proof = Proof::api_key;
  scene.requests.resize(requests_count);
  for (Request& request : scene.requests) request.method = "GET";
  return scene;
}

PolicyRule& add_rule(Scene& scene, RulingKind ruling) {
  PolicyRule& rule = scene.settings.policies.emplace_back();
  rule.name = fmt::format("rule {}", scene.settings.policies.size());
  rule.ruling = ruling;
  rule.http.emplace();
  return rule;
}

/// A path of its own for every rule; a request hits one.
Scene own_paths(std::size_t rules) {
  Scene scene = empty_scene();
  std::mt19937 random(1);
  for (std::size_t i = 0; i < rules; ++i) {
    add_rule(scene, RulingKind::allow).http->paths = {fmt::format("/v1/{}/**", i)};
  }
  for (Request& request : scene.requests) {
    request.paths = {static_cast<std::uint32_t>(random() % rules)};
  }
  return scene;
}

/// One path for all rules, each for another group; the principal is in one of them.
Scene own_groups(std::size_t rules) {
  Scene scene = empty_scene();
  for (std::size_t i = 0; i < rules; ++i) {
    PolicyRule& rule = add_rule(scene, RulingKind::allow);
    rule.http->paths = {"/v1/**"};
    rule.principals.groups = {fmt::format("g{}", rules - 1 - i)};
  }
  for (Request& request : scene.requests) request.paths = {0};
  return scene;
}

/// No pattern at all: only methods and groups, and the principal is in every group.
Scene methods_only(std::size_t rules) {
  Scene scene = empty_scene();
  scene.principal.groups.clear();
  for (std::size_t i = 0; i < rules; ++i) {
    PolicyRule& rule = add_rule(scene, RulingKind::allow);
    rule.http->methods = {i + 1 == rules ? "GET" : "POST"};
    rule.principals.groups = {fmt::format("g{}", i)};
    scene.principal.groups.push_back(fmt::format("g{}", i));
  }
  return scene;
}

/// Rules on one path told apart by a header; a request has one of the values.
Scene own_headers(std::size_t rules) {
  Scene scene = empty_scene();
  std::mt19937 random(2);
  for (std::size_t i = 0; i < rules; ++i) {
    PolicyRule& rule = add_rule(scene, RulingKind::allow);
    rule.http->paths = {"/v1/**"};
    rule.http->headers = {{"x-tenant", fmt::format("^t{}$", i)}};
  }
  for (Request& request : scene.requests) {
    request.paths = {0};
    request.headers = {static_cast<std::uint32_t>(random() % rules)};
  }
  return scene;
}

void run(benchmark::State& state, Scene (*make)(std::size_t)) {
  const Scene scene = make(static_cast<std::size_t>(state.range(0)));
  const auto policy = Policy::compile(scene.settings, scene.settings.listeners[0]);
  if (!policy) {
    std::fprintf(stderr, "%s\n", policy.error().message.c_str());
    std::abort();
  }
  const PrincipalView view = policy->view_of(scene.principal);
  const auto judged = [&](const Request& request) {
    return policy->judge(
        view,
        {.method = request.method, .path_hits = request.paths, .header_hits = request.headers});
  };
  for (const Request& request : scene.requests) {
    if (judged(request).kind != scene.expected) std::abort();
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(judged(scene.requests[next]));
    next = (next + 1) % requests_count;
  }
}

/// A glob of its own for every rule, which a request's path matches; of deny rules half of them.
void find_path(benchmark::State& state) {
  const auto globs = static_cast<std::uint32_t>(state.range(0));
  PathTable table;
  for (std::uint32_t i = 0; i < globs; ++i) {
    const auto reading = i % 2 == 0 ? GlobReading::exact : GlobReading::wide;
    if (table.add(fmt::format("/v1/area-{}/**", i), reading) != i) std::abort();
  }
  PathSearch search;
  table.prepare(search);
  std::mt19937 random(3);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < requests_count; ++i) {
    const auto area = static_cast<std::uint32_t>(random() % globs);
    paths.push_back(fmt::format("/v1/area-{}/payments/{}", area, i));
    const auto found = table.find(paths.back(), search);
    if (found.size() != 1 || found.front() != area) std::abort();
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.find(paths[next], search).data());
    next = (next + 1) % requests_count;
  }
}

BENCHMARK(find_path)->Arg(10)->Arg(10'000);
BENCHMARK_CAPTURE(run, own_paths, &own_paths)->Arg(10)->Arg(10'000);
BENCHMARK_CAPTURE(run, own_groups, &own_groups)->Arg(10)->Arg(10'000);
BENCHMARK_CAPTURE(run, methods_only, &methods_only)->Arg(10)->Arg(10'000);
BENCHMARK_CAPTURE(run, own_headers, &own_headers)->Arg(10)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
