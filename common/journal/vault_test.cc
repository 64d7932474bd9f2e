#include "common/journal/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/journal/signer.h"

namespace yuezhan::journal {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Vault, OpensWhatItSealedInItsPlaceAlone) {
  const Vault vault = *Vault::Parse(Vault::NewKeyLine("k1"));
  for (const std::string& plain :
       {std::string(), std::string("430600 1234 5678"), std::string(100'000, 'x')}) {
    const Sealed sealed = vault.Seal("payee|1", plain);
    EXPECT_EQ(vault.Open("payee|1", sealed).value(), plain);
    EXPECT_LE(sealed.wrapped_key.size(), 128u);
    EXPECT_EQ(vault.Open("payee|2", sealed).status().code(), absl::StatusCode::kDataLoss);
    for (size_t at : {size_t{0}, sealed.bytes.size() / 2, sealed.bytes.size() - 1}) {
      Sealed changed = sealed;
      changed.bytes[at] ^= 1;
      EXPECT_EQ(vault.Open("payee|1", changed).status().code(), absl::StatusCode::kDataLoss);
    }
    Sealed changed = sealed;
    changed.wrapped_key.back() ^= 1;
    EXPECT_EQ(vault.Open("payee|1", changed).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(vault.Open("payee|1", {"", sealed.wrapped_key}).status().code(),
              absl::StatusCode::kDataLoss);
    EXPECT_EQ(vault.Open("payee|1", {sealed.bytes, ""}).status().code(),
              absl::StatusCode::kDataLoss);
  }
  EXPECT_NE(vault.Seal("a", "b").bytes, vault.Seal("a", "b").bytes);
}

TEST(Vault, AMasterKeyIsChangedWithoutTouchingTheValue) {
  const std::string old_key = Vault::NewKeyLine("k1"), new_key = Vault::NewKeyLine("k2");
  const Vault before = *Vault::Parse(old_key);
  const Vault both = *Vault::Parse("# the first seals\n" + new_key + old_key);
  const Vault after = *Vault::Parse(new_key);
  Sealed sealed = before.Seal("p", "value");
  EXPECT_EQ(both.Open("p", sealed).value(), "value");
  EXPECT_EQ(after.Open("p", sealed).status().code(), absl::StatusCode::kFailedPrecondition);
  sealed.wrapped_key = both.Rewrap(sealed.wrapped_key).value();
  EXPECT_EQ(after.Open("p", sealed).value(), "value");
  EXPECT_EQ(both.Rewrap(sealed.wrapped_key).value(), sealed.wrapped_key);
  EXPECT_EQ(before.SearchKey("phone", "138"), both.SearchKey("phone", "138"))
      << "found under the new key as well";
  EXPECT_NE(both.SearchKey("phone", "138"), both.SearchKey("account", "138"));
}

TEST(Vault, KeysAreReadAgainWhileItIsInUse) {
  const std::string old_key = Vault::NewKeyLine("k1"), new_key = Vault::NewKeyLine("k2");
  std::string file = old_key;
  const Vault one = *Vault::Load([&file] { return file; });
  const Vault two = *Vault::Load([&file] { return file; });
  const Sealed before = one.Seal("p", "value");
  file = new_key + old_key;
  ASSERT_TRUE(one.Reload().ok());
  const Sealed after = one.Seal("p", "value");
  EXPECT_TRUE(after.wrapped_key.starts_with("k2:"));
  EXPECT_EQ(two.Open("p", after).value(), "value") << "looked by itself";
  EXPECT_EQ(two.Open("p", before).value(), "value");
  file = "broken";
  EXPECT_FALSE(one.Reload().ok());
  EXPECT_EQ(one.Open("p", after).value(), "value") << "the old ones stay";
}

TEST(Vault, RefusesWrongKeysWithoutShowingThem) {
  const std::string key = Vault::NewKeyLine("k1");
  for (const std::string& wrong :
       {std::string(), std::string("# none\n"), key + key, key + "k2:abcd\n", "K1" + key.substr(2),
        "k1" + key.substr(3), ":" + key}) {
    const auto vault = Vault::Parse(wrong);
    EXPECT_EQ(vault.status().code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(std::string(vault.status().message()), Not(HasSubstr(key.substr(3, 10))));
  }
}

TEST(Signer, SignsServicePlaceAndHash) {
  const auto signer = *Signer::FromPem(Signer::NewPem());
  const auto other = *Signer::FromPem(Signer::NewPem());
  VerifyingKeys keys;
  EXPECT_EQ(keys.Add(signer->public_key()).value(), signer->key_id());
  EXPECT_FALSE(keys.Add("short").ok());
  const std::string hash(32, 'h'), signature = signer->Sign("review", 7, hash);
  EXPECT_TRUE(keys.Verify(signer->key_id(), "review", 7, hash, signature));
  EXPECT_FALSE(keys.Verify(signer->key_id(), "payment", 7, hash, signature));
  EXPECT_FALSE(keys.Verify(signer->key_id(), "review", 8, hash, signature));
  EXPECT_FALSE(keys.Verify(signer->key_id(), "review", 7, std::string(32, 'g'), signature));
  EXPECT_FALSE(keys.Verify(signer->key_id(), "review", 7, hash, signature.substr(1)));
  EXPECT_FALSE(keys.Verify(other->key_id(), "review", 7, hash, other->Sign("review", 7, hash)))
      << "unknown key";
  EXPECT_FALSE(keys.Verify(signer->key_id(), "review", 7, hash, other->Sign("review", 7, hash)));
  EXPECT_EQ(Signer::FromPem("nothing").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace yuezhan::journal
