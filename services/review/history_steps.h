// What a row of review's journal says of a case, as one step of its history. A library of its own:
// who checks evidence without the service tells the same history of the same rows.
#ifndef YUEZHAN_SERVICES_REVIEW_HISTORY_STEPS_H_
#define YUEZHAN_SERVICES_REVIEW_HISTORY_STEPS_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/review/v1/case_file.pb.h"

namespace yuezhan::review {

// `private_part`: null where it stays closed; then the step has no names, findings and reasons.
v1::HistoryStep HistoryStepOf(int64_t seq, const journal::v1::PublicPart& public_part,
                              const journal::v1::PrivatePart* private_part,
                              std::string_view case_name);

// The message in it; null when its type is unknown here, or its bytes are none of it.
std::unique_ptr<google::protobuf::Message> UnpackAny(const google::protobuf::Any& any);

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_HISTORY_STEPS_H_
