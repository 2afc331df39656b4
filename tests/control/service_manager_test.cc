#include "control/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "control/descriptor.h"
#include "temporary_folder.h"

using namespace sluice;
using control::ServiceManager;

namespace {

/// The other end, as systemd has it. `name`: a path, or '@' and an abstract one.
control::Descriptor bound(const std::string& name) {
  control::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const std::size_t end = name.front() == '@' ? 0 : 1;
  REQUIRE(::bind(socket.get(), reinterpret_cast<const ::sockaddr*>(&address),
                 static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + name.size() + end)) ==
          0);
  return socket;
}

std::string received(const control::Descriptor& socket) {
  char text[256];
  const ssize_t size = ::recv(socket.get(), text, sizeof text, 0);
  return size < 0 ? std::string("nothing") : std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("a service manager is told as sd_notify(3) says") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() / "notify";
  const std::string name = GENERATE(true, false) ? path : fmt::format("@{}", path);
  const auto manager_end = bound(name);
  const ServiceManager manager(name);
  REQUIRE(manager.ready("configuration 3 is in force"));
  CHECK(received(manager_end) == "READY=1\nSTATUS=configuration 3 is in force");
  REQUIRE(manager.reloading({.ns = 7'654'321}));
  CHECK(received(manager_end) == "RELOADING=1\nMONOTONIC_USEC=7654");
  REQUIRE(manager.stopping(seconds(30)));
  CHECK(received(manager_end) == "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000");
  CHECK(received(manager_end) == "nothing");
}

TEST_CASE("without a service manager nobody is told, and one that is gone is an error") {
  CHECK(ServiceManager("").ready("x"));
  const auto gone = ServiceManager("/nonexistent/notify").ready("x");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().message.find("/nonexistent/notify") != std::string::npos);
  CHECK_FALSE(ServiceManager(std::string(200, 'x')).ready("x"));
}

TEST_CASE("a service manager that does not read holds nothing up") {
  const test::TemporaryFolder folder;
  const std::string name = folder.path() / "notify";
  const auto manager_end = bound(name);
  const ServiceManager manager(name);
  bool is_full = false;
  for (int i = 0; i < 100'000 && !is_full; ++i) is_full = !manager.ready("x");
  CHECK(is_full);
}
