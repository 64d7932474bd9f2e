// The connection cut at each command of the method that has the most, COMMIT among them.
#include "common/db/cutting_proxy.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

TEST(Cuts, CloseMeetingHasOneEffect) {
  TestReview review;
  for (const auto when : {db::CuttingProxy::When::kBefore, db::CuttingProxy::When::kAfter}) {
    int cuts = 0;
    for (bool cut = true; cut; ++cuts) {
      SCOPED_TRACE(cuts + 1);
      const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
      v1::CloseMeetingRequest request = review.Closing(review.Get(name).meeting());
      request.set_request_id(NewUuid());
      request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
      db::CuttingProxy proxy("127.0.0.1", review.host().database().serve().port);
      const TestReview::Replica replica = review.NewReplica(proxy.port());
      proxy.CutAt(cuts + 1, when);
      auto answer =
          review.Try(*replica.handlers, &Handlers::CloseMeeting, review.secretary(), request);
      cut = proxy.cut();
      if (!answer.ok()) {
        EXPECT_TRUE(absl::IsUnavailable(answer.status()) || absl::IsAborted(answer.status()))
            << answer.status();
        // Sent again with the same request_id, it is told the truth.
        answer = review.Try(&Handlers::CloseMeeting, review.secretary(), request);
      }
      ASSERT_TRUE(answer.ok()) << answer.status();
      v1::GetMeetingRequest get;
      get.set_name(request.name());
      EXPECT_EQ(review.Do(&Handlers::GetMeeting, review.secretary(), get).SerializeAsString(),
                answer->SerializeAsString());
      int closed = 0, awarded = 0;
      for (const auto& emitted : review.AllEmitted<v1::MeetingAdvanced>()) {
        closed += emitted.event.meeting() == request.name() &&
                  emitted.event.state() == v1::MEETING_STATE_CLOSED;
      }
      for (const auto& step : review.StepsOf(name))
        awarded += step.state() == v1::CASE_STATE_AWARDED;
      EXPECT_EQ(closed, 1);
      EXPECT_EQ(awarded, 1);
      EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_AWARDED);
    }
    EXPECT_GT(cuts, 10);
  }
}

}  // namespace
}  // namespace yuezhan::review
