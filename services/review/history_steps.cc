#include "services/review/history_steps.h"

#include <algorithm>

#include "yuezhan/common/v1/options.pb.h"
#include "yuezhan/review/v1/events.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

using google::protobuf::Any;
using google::protobuf::Message;

std::unique_ptr<Message> UnpackAny(const Any& any) {
  const size_t slash = any.type_url().rfind('/');
  if (slash == std::string::npos) return nullptr;
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      any.type_url().substr(slash + 1));
  if (type == nullptr) return nullptr;
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  return message->ParseFromString(any.value()) ? std::move(message) : nullptr;
}

namespace {

// What the service does by itself, and by which article.
constexpr struct {
  std::string_view method;
  std::string_view article;
} kOwnWork[] = {{"timer/notice-ends", "5.3"}, {"timer/calendar-changed", "5.3"}};

std::string ShortMethod(const std::string& method) {
  const size_t slash = method.rfind('/');
  return method.starts_with("yuezhan.") && slash != std::string::npos ? method.substr(slash + 1)
                                                                       : method;
}

std::string ArticleOf(const std::string& method) {
  for (const auto& own : kOwnWork) {
    if (own.method == method) return std::string(own.article);
  }
  std::string name = method;
  std::replace(name.begin(), name.end(), '/', '.');
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  return found == nullptr ? "" : found->options().GetExtension(common::v1::article);
}

// Value of a string field by that name, or "".
std::string TextOf(const Message& message, const char* field_name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(field_name);
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING)
    return "";
  return message.GetReflection()->GetString(message, field);
}

void AddDigest(std::string_view what, const std::string& digest, v1::HistoryStep* step) {
  if (digest.empty()) return;
  v1::HistoryDigest* added = step->add_digests();
  added->set_what(std::string(what));
  added->set_digest(digest);
}

// "AWARDED".
std::string StateName(v1::CaseState state) {
  constexpr std::string_view kPrefix = "CASE_STATE_";
  return v1::CaseState_Name(state).substr(kPrefix.size());
}

// What the events say: those of this case, and those of notices, meetings, objections on its way.
void TellEvent(const Any& any, std::string_view case_name, v1::HistoryStep* step) {
  v1::CaseAdvanced moved;
  v1::NoticeAdvanced notice;
  v1::MeetingAdvanced meeting;
  v1::ObjectionAdvanced objection;
  v1::EvidenceAdded evidence;
  if (any.UnpackTo(&moved)) {
    if (moved.case_name() != case_name) return;
    if (step->to_state().empty() && moved.from() != v1::CASE_STATE_UNSPECIFIED)
      step->set_from_state(StateName(moved.from()));
    step->set_to_state(StateName(moved.state()));
    AddDigest("award line", moved.line_digest(), step);
    if (!moved.reason().empty()) step->set_reason(moved.reason());
  } else if (any.UnpackTo(&notice)) {
    step->add_resources(notice.notice());
    AddDigest("list", notice.list_digest(), step);
    AddDigest("calendar", notice.calendar_digest(), step);
  } else if (any.UnpackTo(&meeting)) {
    step->add_resources(meeting.meeting());
    AddDigest("minutes", meeting.minutes_digest(), step);
  } else if (any.UnpackTo(&objection)) {
    if (objection.case_name() == case_name) step->add_resources(objection.objection());
  } else if (any.UnpackTo(&evidence)) {
    step->add_resources(evidence.file());
    AddDigest(evidence.code(), evidence.sha256(), step);
  }
}

void TellPrivate(const journal::v1::PrivatePart& part, std::string_view case_name,
                 v1::HistoryStep* step) {
  for (const Any& any : part.events()) {
    v1::Judged judged;
    v1::DelegationUsed used;
    if (any.UnpackTo(&judged)) {
      // Of a meeting or a list only what it said of this case.
      if (judged.resource().starts_with("cases/") && judged.resource() != case_name) continue;
      step->mutable_findings()->MergeFrom(judged.findings());
      *step->mutable_policy() = judged.policy();
    } else if (any.UnpackTo(&used)) {
      step->set_on_behalf_of(used.act().on_behalf_of());
      step->set_delegation(used.delegation());
    }
  }
  v1::Delegation delegation;
  if (part.answer().UnpackTo(&delegation)) step->add_resources(delegation.name());
  const auto request = UnpackAny(part.request());
  if (request != nullptr && step->reason().empty()) step->set_reason(TextOf(*request, "reason"));
}

}  // namespace

v1::HistoryStep HistoryStepOf(int64_t seq, const journal::v1::PublicPart& public_part,
                              const journal::v1::PrivatePart* private_part,
                              std::string_view case_name) {
  v1::HistoryStep step;
  step.set_seq(seq);
  *step.mutable_time() = public_part.time();
  step.set_method(ShortMethod(public_part.method()));
  step.set_article(ArticleOf(public_part.method()));
  step.set_actor(public_part.subject());
  for (const Any& any : public_part.events()) TellEvent(any, case_name, &step);
  if (private_part == nullptr) return step;
  if (!step.actor().empty()) step.set_actor_name(private_part->name());
  TellPrivate(*private_part, case_name, &step);
  return step;
}

}  // namespace yuezhan::review
