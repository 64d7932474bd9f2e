// Payment stands still after a restore: orders made after the backup are forgotten, and may be
// paid.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "services/payment/reconciliation.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {

absl::StatusOr<bool> Reconciliation::Held() {
  const absl::Time deadline = WallNow() + absl::Seconds(10);
  std::string id;
  std::error_code error;
  if (!hold_file_.empty() && (std::filesystem::exists(hold_file_, error) || error)) {
    std::ifstream file(hold_file_, std::ios::binary);
    if (error || !file) return true;  // one that cannot be read holds too
    id = Sha256(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  bool begins = false, held = false;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) {
    begins = !id.empty() && !store_.KnowsHold(sql, id);
    held = store_.IsHeld(sql);
    return absl::OkStatus();
  }));
  if (!begins) return held;
  YZ_RETURN_IF_ERROR(journal_.WriteInternal(
      "timer/hold", ToHex(id), deadline, [&](journal::Unit& unit) -> absl::Status {
        const Day since = store_.LastDay(unit.sql(), BeijingDay(unit.Now()));
        if (!store_.InsertHold(unit.sql(), id, since, journal_.clocks().wall()))
          return absl::OkStatus();
        v1::HoldChanged event;
        event.set_held(true);
        unit.Emit(event);
        return absl::OkStatus();
      }));
  Log(LogLevel::kWarning, "payment_on_hold", {{"file", hold_file_}});
  return true;
}

absl::Status Reconciliation::GetHold(Context& context, const v1::GetHoldRequest&,
                                     v1::Hold* answer) {
  const Day today = BeijingDay(journal_.clocks().business->Now());
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) {
    *answer = store_.OpenHold(sql, today, hold_least_).value_or(v1::Hold());
    return absl::OkStatus();
  });
}

absl::Status Reconciliation::EndHold(Context& context, const v1::EndHoldRequest& request,
                                     v1::Hold* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    const auto hold = store_.OpenHold(unit.sql(), BeijingDay(unit.Now()), hold_least_);
    if (!hold) {
      return Refuse("hold.held", "拨付没有处于暂停状态。", "Payment is not on hold.", "hold");
    }
    if (hold->has_first_day_missing()) {
      const Day day = *DayFromProto(hold->first_day_missing());
      return Refuse("hold.statements",
                    Concat({"恢复满", absl::FormatDuration(hold_least_), "后导入的对账单未覆盖",
                            FormatDayZh(day), "，请届时导入自备份之日至今日的对账单。"}),
                    Concat({"No statement imported ", absl::FormatDuration(hold_least_),
                            " or more after the restore covers ", FormatDay(day), "."}),
                    "hold");
    }
    if (hold->open_lines() > 0) {
      return Refuse("hold.open-lines", "对账单上还有未核对的交易，请逐笔确认或说明。",
                    "Lines of the statements are neither matched nor explained.", "hold");
    }
    // Entered within a moment by the timer.
    if (hold->lines_under_way() > 0) return errors::Unavailable("reconciliation");
    store_.EndHolds(unit.sql(), journal_.clocks().wall());
    v1::HoldChanged event;
    event.set_reason(request.reason());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::payment
