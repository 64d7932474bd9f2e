// Every method of the contract × every role × a host unit's own, another's and no object: what the
// permission table does not grant is denied, and what a caller may not see is answered like what
// does not exist. Made from the contract's descriptors and the table: new methods are in it.
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/auth/permissions.h"
#include "common/rpc/test_support.h"
#include "gtest/gtest.h"
#include "services/yz/demo/demo.h"
#include "tests/harvest.h"
#include "tests/sample_request.h"
#include "yuezhan/common/v1/options.pb.h"

namespace yuezhan::tests {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int kNotFound = 5, kPermissionDenied = 7, kUnauthenticated = 16;

class Access : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    stack_ = new TestStack({.tls = false});
    std::ostringstream told;
    auto demo = yz::Demo::Create(stack_->client(), told).value();
    for (const auto& step : demo->steps()) {
      const absl::Status status = demo->Run(step);
      ASSERT_TRUE(status.ok()) << status << told.str();
    }
    everything_ = ListEverything(*stack_, Single(Role::kAuditor));
    for (const std::string& name : everything_.names) {
      if (name.rfind("hostUnits/", 0) == 0) host_ = name;
    }
    Caller owner = Single(Role::kHostUnit);
    owner.host_unit = host_;
    own_ = ListEverything(*stack_, owner);
  }
  static void TearDownTestSuite() { delete stack_; }

  static Caller Single(Role role) {
    const std::string word(auth::RoleName(role));
    Caller caller{absl::StrCat("one-", word), word, {role}, ""};
    if (role == Role::kService) caller.subject = "service:bank";  // a name that no row has
    return caller;
  }
  // A host unit to which nothing belongs.
  static Caller Stranger() {
    Caller stranger = Single(Role::kHostUnit);
    stranger.host_unit = AbsentName("hostUnits/*");
    return stranger;
  }

  struct Answer {
    int code;
    std::string details;
  };
  static Answer Call(const MethodDescriptor& method, const Caller& caller, const Message& request) {
    const auto raw = rpc::CallRaw(
        stack_->TargetOf(ServerOf(method)), absl::StrCat("/", PathOf(method)),
        request.SerializeAsString(),
        {{"authorization", absl::StrCat("Bearer ", stack_->client().Token(caller).value())}});
    return {raw.code, raw.details};
  }

  // The method's sample request with names from `from`; absent ones where it has none that fits.
  // `all` is whether all were found, `ids` the names used.
  struct Made {
    std::unique_ptr<Message> request;
    bool all = true;
    std::vector<std::string> names;
  };
  static Made RequestAbout(const MethodDescriptor& method, const std::set<std::string>& from) {
    Made made{NewRequest(method), true, {}};
    FillSample(made.request.get());
    SetResources(made.request.get(), [&](const std::string& pattern) {
      for (const std::string& name : from) {
        if (!FitsPattern(name, pattern)) continue;
        made.names.push_back(name);
        return name;
      }
      made.all = false;
      made.names.push_back(AbsentName(pattern));
      return made.names.back();
    });
    return made;
  }
  // The same request, about things that do not exist; `swap` turns its names back.
  static std::unique_ptr<Message> Absent(const MethodDescriptor& method, const Made& made,
                                         std::vector<std::pair<std::string, std::string>>* swap) {
    std::unique_ptr<Message> request(made.request->New());
    request->CopyFrom(*made.request);
    size_t at = 0;
    SetResources(request.get(), [&](const std::string& pattern) {
      const std::string& name = made.names[at++];
      std::string absent = AbsentName(pattern);
      if (absent.size() != name.size()) absent = name;  // another alternative of the pattern
      // Segment by segment: an answer may name the resource above.
      const std::vector<std::string> from = absl::StrSplit(absent, '/');
      const std::vector<std::string> to = absl::StrSplit(name, '/');
      for (size_t i = 0; i < from.size() && i < to.size(); ++i) {
        if (from[i] != to[i]) swap->emplace_back(from[i], to[i]);
      }
      return absent;
    });
    (void)method;
    return request;
  }

  static TestStack* stack_;
  static Harvest everything_;
  static Harvest own_;
  static std::string host_;
};

TestStack* Access::stack_ = nullptr;
Harvest Access::everything_;
Harvest Access::own_;
std::string Access::host_;

TEST_F(Access, WhatTheTableDoesNotGrantIsDeniedWhateverTheRequestNames) {
  int cells = 0;
  for (const MethodDescriptor* method : AllMethods()) {
    const auth::Permission* row = auth::FindPermission(PathOf(*method));
    ASSERT_NE(row, nullptr) << method->full_name();
    const Made real = RequestAbout(*method, everything_.names);
    std::vector<std::pair<std::string, std::string>> swap;
    const auto absent = Absent(*method, real, &swap);
    const auto nothing = NewRequest(*method);
    for (int i = 0; i < kRoleCount; ++i) {
      const Caller caller = Single(static_cast<Role>(i));
      if (row->Admits(caller)) continue;
      const std::string cell = absl::StrCat(method->full_name(), " as ", caller.name);
      const Answer about_real = Call(*method, caller, *real.request);
      EXPECT_EQ(about_real.code, kPermissionDenied) << cell;
      for (const Message* other : {absent.get(), nothing.get()}) {
        const Answer answer = Call(*method, caller, *other);
        EXPECT_EQ(answer.code, about_real.code) << cell;
        EXPECT_EQ(answer.details, about_real.details) << cell;
      }
      cells += 3;
    }
    // No role at all, and no token.
    EXPECT_EQ(Call(*method, {"nobody", "nobody", {}, ""}, *real.request).code, kPermissionDenied);
    EXPECT_EQ(rpc::CallRaw(stack_->TargetOf(ServerOf(*method)),
                           absl::StrCat("/", PathOf(*method)), real.request->SerializeAsString())
                  .code,
              kUnauthenticated);
  }
  std::cout << cells << " denied cells" << std::endl;
  EXPECT_GT(cells, 500);
}

TEST_F(Access, WhatBelongsToAnotherHostDoesNotExist) {
  int compared = 0;
  const Caller stranger = Stranger();
  for (const MethodDescriptor* method : AllMethods()) {
    const auth::Permission* row = auth::FindPermission(PathOf(*method));
    if (!row->Admits(stranger) || row->roles.Has(Role::kPublic)) continue;
    const Made foreign = RequestAbout(*method, everything_.names);
    if (foreign.names.empty()) continue;
    std::vector<std::pair<std::string, std::string>> swap;
    const auto absent = Absent(*method, foreign, &swap);
    const Answer of_foreign = Call(*method, stranger, *foreign.request);
    const Answer of_absent = Call(*method, stranger, *absent);
    EXPECT_EQ(of_foreign.code, of_absent.code) << method->full_name();
    std::vector<std::pair<absl::string_view, absl::string_view>> pairs;
    for (const auto& [from, to] : swap) pairs.emplace_back(from, to);
    EXPECT_EQ(of_foreign.details, absl::StrReplaceAll(of_absent.details, pairs))
        << method->full_name();
    if (method->input_type()->FindFieldByName("name") != nullptr && of_foreign.code != 3) {
      EXPECT_EQ(of_foreign.code, kNotFound) << method->full_name();
    }
    ++compared;
  }
  std::cout << compared << " methods compared" << std::endl;
  EXPECT_GT(compared, 10);
  // And no list shows it.
  const Harvest seen = ListEverything(*stack_, stranger);
  const Harvest open = ListEverything(*stack_, Single(Role::kPublic));
  for (const std::string& name : seen.names) EXPECT_TRUE(open.names.contains(name)) << name;
}

TEST_F(Access, AHostReadsItsOwn) {
  Caller owner = Single(Role::kHostUnit);
  owner.host_unit = host_;
  EXPECT_TRUE(own_.names.contains(host_));
  int read = 0;
  for (const MethodDescriptor* method : AllMethods()) {
    const auto* row = auth::FindPermission(PathOf(*method));
    const auto* name = method->input_type()->FindFieldByName("name");
    if (!IsRead(*method) || name == nullptr || !row->Admits(owner)) continue;
    const Made own = RequestAbout(*method, own_.names);
    if (!own.all || own.names.empty()) continue;
    const Answer answer = Call(*method, owner, *own.request);
    EXPECT_NE(answer.code, kPermissionDenied) << method->full_name();
    EXPECT_NE(answer.code, kNotFound) << method->full_name() << " " << own.names[0];
    ++read;
  }
  EXPECT_GT(read, 3);
}

TEST_F(Access, AuditorReadsEverythingAndChangesNothing) {
  for (const MethodDescriptor* method : AllMethods()) {
    EXPECT_EQ(auth::FindPermission(PathOf(*method))->Admits(Single(Role::kAuditor)),
              IsRead(*method))
        << method->full_name();
  }
}

}  // namespace
}  // namespace yuezhan::tests
