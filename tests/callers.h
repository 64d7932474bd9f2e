#ifndef YUEZHAN_TESTS_CALLERS_H_
#define YUEZHAN_TESTS_CALLERS_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/caller.h"
#include "tests/test_stack.h"
#include "yuezhan/payment/v1/payment.pb.h"

namespace yuezhan::tests {

// What callers do to a serving installation while something happens to it.

inline constexpr absl::Duration kPatience = absl::Seconds(30);
inline constexpr char kCreateFund[] = "yuezhan.payment.v1.PaymentService/CreateFund";
Caller Auditor();
Caller Payer();

// Whether it comes true while we are patient.
bool Await(const std::function<bool()>& what);

// A file's content, "" when there is none.
std::string Content(const std::string& file);

absl::Status ListStations(yz::Client& client);

// A fund of the year 2030, of its own by its number.
payment::v1::CreateFundRequest FundRequest(int number);
absl::Status CreateFund(yz::Client& client, int number);

// The demonstration, to its end or to the first step that `until` takes.
absl::Status RunDemo(
    TestStack& stack,
    const std::function<bool(const std::string& step)>& until = [](const std::string&) {
      return false;
    });

// Callers at work until it ends: writes with a request_id and reads, repeated by the rules alone.
class Load {
 public:
  explicit Load(yz::Client& client);
  ~Load() { Stop(); }
  void Stop();
  int written() const { return written_; }
  int read() const { return read_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> written_ = 0, read_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace yuezhan::tests

#endif  // YUEZHAN_TESTS_CALLERS_H_
