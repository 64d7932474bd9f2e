#ifndef YUEZHAN_SERVICES_YZ_DEMO_DEMO_H_
#define YUEZHAN_SERVICES_YZ_DEMO_DEMO_H_

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/yz/client.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {

// What the services hold at the end, read back from them.
struct DemoResult {
  bool complete = false;  // every station came to the end of its story
  int paid = 0;
  int refused = 0;
  int64_t amount_paid_fen = 0;
  bool ledger_balanced = false;
  bool journal_verified = false;

  // {"flow":"complete","paid":5,…} on one line.
  std::string Json() const;
};

// The demonstration: the whole flow through the public APIs, one readable line an act. A second one
// on the same data goes through the same calls with the same request ids, so it changes nothing.
class Demo {
 public:
  using Step = DemoStep;

  // Where the simulated clock must begin for it.
  static absl::Time Start();

  // `client` and `out` outlive it. FAILED_PRECONDITION when the installation runs on the real
  // clock.
  static absl::StatusOr<std::unique_ptr<Demo>> Create(Client& client, std::ostream& out);
  // The same with other input.
  static absl::StatusOr<std::unique_ptr<Demo>> Create(Client& client, std::ostream& out,
                                                      Scenario scenario);

  // In their order; each can be run once the ones before it were.
  const std::vector<Step>& steps() const { return steps_; }
  absl::Status Run(const Step& step);

  absl::StatusOr<DemoResult> ReadBack();

 private:
  Demo(Client& client, Scenario scenario, std::shared_ptr<SimulatedClock> clock, std::ostream& out);
  absl::Status CountPayments(DemoResult* result);
  absl::Status CountRefusals(DemoResult* result);
  absl::StatusOr<bool> Complete();

  Stage stage_;
  std::ostream& out_;
  std::vector<Step> steps_;
};

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_DEMO_DEMO_H_
