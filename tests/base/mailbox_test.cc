#include "base/mailbox.h"

#include <catch2/catch.hpp>
#include <memory>
#include <thread>

using sluice::Mailbox;

TEST_CASE("mail arrives in order, moved, with one wake each") {
  int wakes = 0;
  Mailbox<std::unique_ptr<int>> box([&] { ++wakes; });
  CHECK_FALSE(box.maybe_has_mail());
  box.post(std::make_unique<int>(1));
  box.post(std::make_unique<int>(2));
  CHECK(box.maybe_has_mail());
  const auto mail = box.take();
  REQUIRE(mail.size() == 2);
  CHECK(*mail[0] == 1);
  CHECK(*mail[1] == 2);
  CHECK_FALSE(box.maybe_has_mail());
  CHECK(wakes == 2);
}

TEST_CASE("nothing posted from several threads is lost") {
  Mailbox<int> box;
  std::thread a([&] {
    for (int i = 0; i < 1000; ++i) box.post(i);
  });
  std::thread b([&] {
    for (int i = 0; i < 1000; ++i) box.post(i);
  });
  std::size_t got = 0;
  while (got < 2000) got += box.take().size();
  a.join();
  b.join();
  CHECK(got == 2000);
}
