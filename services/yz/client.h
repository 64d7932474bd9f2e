#ifndef YUEZHAN_SERVICES_YZ_CLIENT_H_
#define YUEZHAN_SERVICES_YZ_CLIENT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/caller.h"
#include "common/rpc/client.h"
#include "services/yz/profile.h"

namespace yuezhan::yz {

// The names of the four services, and of the bank beside them.
inline constexpr std::string_view kServices[] = {"registry", "application", "review", "payment"};
inline constexpr std::string_view kBank = "bank";

// "yuezhan.review.v1.ReviewService/GetCase" → "review"; "" for a method that every service offers.
std::string ServiceOf(std::string_view method);

// Calls the services of an installation as whoever is named. Thread-safe.
class Client {
 public:
  explicit Client(Profile profile);

  const Profile& profile() const { return profile_; }

  // Where a service is, or another replica of it, from now on.
  void SetTarget(const std::string& service, const std::string& target);

  // Calls the service that the method belongs to.
  absl::Status Call(const Caller& caller, std::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* answer);
  // Calls that one: for methods that every service offers, and for other replicas.
  absl::Status CallAt(const std::string& service, const Caller& caller, std::string_view method,
                      const google::protobuf::Message& request, google::protobuf::Message* answer,
                      absl::Time deadline = absl::InfiniteFuture());

  // Whether the service says SERVING of itself; an error when it does not answer.
  absl::StatusOr<bool> Healthy(const std::string& service, absl::Time deadline);

  // A token of the caller, signed by the installation's own key and good for twelve hours.
  absl::StatusOr<std::string> Token(const Caller& caller);
  absl::StatusOr<std::string> NewToken(const Caller& caller, absl::Duration life);

 private:
  absl::StatusOr<std::shared_ptr<rpc::Channel>> ChannelTo(const std::string& service);

  absl::Mutex mutex_;
  Profile profile_;
  std::map<std::string, std::shared_ptr<rpc::Channel>> channels_ ABSL_GUARDED_BY(mutex_);
  struct Kept {
    std::string token;
    absl::Time renew;
  };
  std::map<std::string, Kept> tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_CLIENT_H_
