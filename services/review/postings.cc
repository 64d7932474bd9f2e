#include <map>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "common/rules/notice.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"

// Where and when a notice was shown, and when not (article 5.3).
namespace yuezhan::review {
namespace {

constexpr std::string_view kDown = "RecordPostingDown";
constexpr int kAtOnce = 100;  // objections

absl::Status CheckShown(const v1::Notice& notice, const std::string& list_digest,
                        std::string_view path) {
  if (list_digest == notice.list_digest()) return absl::OkStatus();
  return errors::InvalidField(path, "网站所登名单与公示名单不一致，请更正网站内容",
                              "the site shows another list: correct it there first");
}

absl::Status CheckPosting(const policy::v1::Policy& policy, const v1::Notice& notice,
                          const v1::Posting& posting, absl::Time now) {
  if (policy::FindSite(policy, posting.site()) == nullptr) {
    return errors::InvalidField("posting.site", "不是规定的公示网站", "is no site of the policy");
  }
  for (const v1::Posting& before : notice.postings()) {
    if (before.site() == posting.site())
      return errors::AlreadyExists("posting.site", notice.name());
  }
  // To the second, as sites tell it.
  const absl::Time live = FromProto(posting.live_time());
  if (live > now || posting.live_time().seconds() < notice.create_time().seconds()) {
    return errors::InvalidField("posting.live_time", "发布时间应在公示签发之后、当前时间之前",
                                "must be after the notice was issued and not in the future");
  }
  return CheckShown(notice, posting.list_digest(), "posting.list_digest");
}

absl::Status BadTime(std::string_view path) {
  return errors::InvalidField(path, "时间应在该网站上次变动之后、当前时间之前",
                              "must lie between the site's last change and now");
}

bool IsEnded(const v1::Notice& notice) {
  return notice.state() == v1::NOTICE_STATE_ENDED || notice.state() == v1::NOTICE_STATE_CONCLUDED;
}

// Counts the period of the postings as they are now; the state that follows.
v1::NoticeState Count(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                      v1::Notice* notice) {
  if (const auto period = rules::NoticePeriodOf(policy, calendar, PeriodFactsOf(*notice))) {
    // What breaks no period leaves the end that it had.
    if (IsEnded(*notice)) return notice->state();
    SetPeriod(*period, notice);
    return v1::NOTICE_STATE_RUNNING;
  }
  notice->clear_first_day();
  notice->clear_last_day();
  notice->clear_provisional();
  notice->clear_calendar_digest();
  return notice->state() == v1::NOTICE_STATE_ISSUED ? v1::NOTICE_STATE_ISSUED
                                                    : v1::NOTICE_STATE_SUSPENDED;
}

absl::StatusOr<v1::Posting*> FindPosting(v1::Notice* notice, std::string_view site) {
  for (v1::Posting& posting : *notice->mutable_postings()) {
    if (posting.site() == site) return &posting;
  }
  return errors::InvalidField("site", "该网站尚未登记发布", "has no posting of this notice");
}

bool IsDown(const v1::Posting& posting) {
  return posting.downs_size() > 0 && !posting.downs(posting.downs_size() - 1).has_back_time();
}

}  // namespace

absl::Status Handlers::RecordPosting(Context& context, const v1::RecordPostingRequest& request,
                                     v1::Notice* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(*answer, LockNotice(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(NoticeTransitions().Check(request.name(), answer->state(), "RecordPosting"));
    YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(*answer));
    YZ_RETURN_IF_ERROR(CheckPosting(*policy, *answer, request.posting(), unit.Now()));
    *answer->add_postings() = request.posting();
    const v1::NoticeState to = Count(*policy, *rulebook_.calendar(), answer);
    YZ_RETURN_IF_ERROR(Advance(unit, answer, to, "RecordPosting"));
    return Show(context, answer);
  });
}

absl::Status Handlers::RecordPostingDown(Context& context,
                                         const v1::RecordPostingDownRequest& request,
                                         v1::Notice* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(*answer, LockNotice(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(NoticeTransitions().Check(request.name(), answer->state(), kDown));
    YZ_ASSIGN_OR_RETURN(v1::Posting * posting, FindPosting(answer, request.site()));
    if (IsDown(*posting)) return errors::AlreadyExists("site", answer->name());
    const absl::Time down = FromProto(request.down_time());
    const absl::Time since =
        FromProto(posting->downs_size() == 0
                      ? posting->live_time()
                      : posting->downs(posting->downs_size() - 1).back_time());
    if (down < since || down > unit.Now()) return BadTime("down_time");
    v1::PostingDown* added = posting->add_downs();
    *added->mutable_down_time() = request.down_time();
    added->set_reason(request.reason());
    YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(*answer));
    const v1::NoticeState to = Count(*policy, *rules.calendar, answer);
    const bool reopens = IsEnded(*answer) && to == v1::NOTICE_STATE_SUSPENDED;
    if (reopens) ClearStatement(answer);
    YZ_RETURN_IF_ERROR(Advance(unit, answer, to, kDown));
    if (reopens) {
      YZ_RETURN_IF_ERROR(Reopen(unit, rules, *answer));
    }
    return Show(context, answer);
  });
}

absl::Status Handlers::Reopen(journal::Unit& unit, const Rules& rules, const v1::Notice& notice) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("notices/*", notice.name()));
  YZ_ASSIGN_OR_RETURN(auto cases, store_.LockCasesOn(unit.sql(), id));
  std::map<std::string, Award> awards;
  for (v1::Case& review_case : cases) {
    const v1::CaseState state = review_case.state();
    // From there on payment decides.
    if (state == v1::CASE_STATE_CLEARED || state == v1::CASE_STATE_PAID) {
      return errors::StateForbids(review_case.name(), CaseTransitions().StateName(state),
                                  {"NOTICE_ENDED", "OBJECTED"}, "");
    }
    if (state == v1::CASE_STATE_NOTICE_ENDED) {
      YZ_RETURN_IF_ERROR(Advance(unit, &review_case, v1::CASE_STATE_IN_NOTICE, kDown));
    }
    awards[review_case.name()].review_case = review_case;
  }
  // What came late by the end that is none any more came in time, and holds its award.
  for (Page page{"", kAtOnce};;) {
    YZ_ASSIGN_OR_RETURN(auto objections, store_.Objections(unit.sql(), id, page));
    for (v1::Objection& objection : objections) {
      if (objection.state() != v1::OBJECTION_STATE_RECEIVED || objection.holds()) continue;
      YZ_ASSIGN_OR_RETURN(const bool allowed, JudgeObjection(unit, rules, notice, &objection));
      const auto award = awards.find(objection.case_name());
      if (!allowed || award == awards.end() || !CanBeHeld(award->second.review_case.state()))
        continue;
      YZ_RETURN_IF_ERROR(Hold(unit, &award->second, &objection));
      if (!store_.UpdateObjection(unit.sql(), &objection)) return errors::Conflict();
    }
    if (static_cast<int>(objections.size()) < page.limit) return absl::OkStatus();
    YZ_ASSIGN_OR_RETURN(page.after, IdOf("notices/*/objections/*", objections.back().name()));
  }
}

absl::Status Handlers::RecordPostingBack(Context& context,
                                         const v1::RecordPostingBackRequest& request,
                                         v1::Notice* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(*answer, LockNotice(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(
        NoticeTransitions().Check(request.name(), answer->state(), "RecordPostingBack"));
    YZ_ASSIGN_OR_RETURN(v1::Posting * posting, FindPosting(answer, request.site()));
    if (!IsDown(*posting))
      return errors::InvalidField("site", "该网站没有撤下的登记", "is not recorded as down");
    v1::PostingDown* down = posting->mutable_downs(posting->downs_size() - 1);
    const absl::Time back = FromProto(request.back_time());
    if (back < FromProto(down->down_time()) || back > unit.Now()) return BadTime("back_time");
    YZ_RETURN_IF_ERROR(CheckShown(*answer, request.list_digest(), "list_digest"));
    *down->mutable_back_time() = request.back_time();
    YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(*answer));
    const v1::NoticeState to = Count(*policy, *rulebook_.calendar(), answer);
    YZ_RETURN_IF_ERROR(Advance(unit, answer, to, "RecordPostingBack"));
    return Show(context, answer);
  });
}

}  // namespace yuezhan::review
