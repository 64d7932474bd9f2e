#include "common/journal/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/journal/feed.h"
#include "common/journal/test_journal.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

using testing::HasSubstr;

constexpr int kRows = 40, kBatch = 10;

// Forty rows, chained and signed by tens. Tampered with as whoever owns the database could.
class VerifyTest : public testing::Test {
 public:
  VerifyTest() {
    for (int i = 1; i <= kRows; ++i) {
      v1::SkipEntryRequest request;
      v1::SkipEntryResponse answer;
      request.set_request_id(absl::StrCat("request-", i));
      const absl::Status written = test_.journal.Write(
          TestJournal::Caller("officer-a", "Test/Write"), request, &answer, [&](Unit& unit) {
            v1::EntrySkipped event;
            event.set_seq(i);
            unit.Emit(event);
            return absl::OkStatus();
          });
      if (!written.ok() || (i % kBatch == 0 && !test_.ChainAll().ok())) std::abort();
    }
  }

  void Sql(const std::string& text) { administrator_.ExecuteText(text); }
  std::string HashAt(int64_t seq) {
    return administrator_.Query("SELECT hash FROM journal_chain WHERE seq = ?", seq)[0].Bytes(0);
  }
  int64_t IdAt(int64_t seq) {
    return administrator_.Query("SELECT journal_id FROM journal_chain WHERE seq = ?", seq)[0].Int(
        0);
  }
  std::string LeafAt(int64_t seq) {
    return administrator_
        .Query("SELECT leaf FROM journal JOIN journal_chain ON journal_id = id WHERE seq = ?",
               seq)[0]
        .Bytes(0);
  }
  // Changes the row and everything in it that follows from its content.
  void ForgeRow(int64_t seq) {
    const db::Row row = administrator_.Query(
        "SELECT public_part, private_digest FROM journal WHERE id = ?", IdAt(seq))[0];
    v1::PublicPart part;
    part.ParseFromString(row.Bytes(0));
    part.set_subject("somebody-else");
    const std::string forged = part.SerializeAsString();
    administrator_.Execute("UPDATE journal SET public_part = ?, leaf = ? WHERE id = ?",
                           db::Bytes(forged), db::Bytes(LeafOf(PartDigest(forged), row.Bytes(1))),
                           IdAt(seq));
  }
  // Computes the chain anew from `seq` on, head included; signs with `signer` where there is one.
  void Rechain(int64_t seq, const Signer* signer) {
    std::string hash = seq == 1 ? GenesisHash() : HashAt(seq - 1);
    for (; seq <= test_.Number("SELECT MAX(seq) FROM journal_chain"); ++seq) {
      hash = ChainHash(hash, LeafAt(seq));
      administrator_.Execute("UPDATE journal_chain SET hash = ? WHERE seq = ?", db::Bytes(hash),
                             seq);
      if (signer == nullptr) continue;
      const std::string signature = signer->Sign(test_.service, seq, hash);
      administrator_.Execute(
          "UPDATE journal_chain SET signature = ? WHERE seq = ? AND signature IS NOT NULL",
          db::Bytes(signature), seq);
      administrator_.Execute("UPDATE journal_head SET signature = ?", db::Bytes(signature));
    }
    administrator_.Execute("UPDATE journal_head SET hash = ?", db::Bytes(hash));
  }
  // Takes the tail off after `seq`, head and rows included, so that nothing inside the database
  // tells.
  void CutTail(int64_t seq) {
    Sql(absl::StrCat("DELETE FROM journal WHERE id > ", IdAt(seq)));
    Sql(absl::StrCat("DELETE FROM journal_chain WHERE seq > ", seq));
    Sql(absl::StrCat("UPDATE journal_head SET seq = ", seq,
                     ", hash = (SELECT hash FROM journal_chain WHERE seq = ", seq,
                     "), signature = (SELECT signature FROM journal_chain WHERE seq = ", seq, ")"));
  }
  v1::Witness Saw(int64_t seq) {
    v1::Witness witness;
    witness.set_witness("payment");
    witness.set_seq(seq);
    witness.set_hash(HashAt(seq));
    return witness;
  }
  v1::VerifyJournalResponse Verify(const std::vector<v1::Witness>& witnesses = {}) {
    v1::VerifyJournalRequest request;
    for (const v1::Witness& witness : witnesses) *request.add_witnesses() = witness;
    auto response = VerifyJournal(test_.database.pool(), test_.service, test_.Keys(), &test_.vault,
                                  request, WallNow() + absl::Seconds(60));
    EXPECT_TRUE(response.ok()) << response.status();
    return *std::move(response);
  }

  TestJournal test_;
  db::Session administrator_{test_.database.administrator()};
};

TEST_F(VerifyTest, AnUntouchedJournalVerifies) {
  const auto verified = Verify({Saw(5), Saw(40)});
  EXPECT_EQ(verified.fault(), v1::FAULT_UNSPECIFIED) << verified.explanation();
  EXPECT_TRUE(verified.complete());
  EXPECT_EQ(verified.last_verified(), kRows);
  EXPECT_EQ(verified.last_hash(), HashAt(kRows));
}

TEST_F(VerifyTest, GoesOnFromWhereItEnded) {
  Sql(absl::StrCat("UPDATE journal SET public_part = CONCAT(public_part, 'x') WHERE id = ",
                   IdAt(35)));
  v1::VerifyJournalRequest request;
  request.set_max_rows(3);
  int calls = 0;
  v1::VerifyJournalResponse response;
  do {
    auto next = VerifyJournal(test_.database.pool(), test_.service, test_.Keys(), &test_.vault,
                              request, WallNow() + absl::Seconds(60));
    ASSERT_TRUE(next.ok());
    response = *std::move(next);
    EXPECT_EQ(response.complete() || response.last_verified() % kBatch == 0, true)
        << "ends with a signed row";
    request.set_after_seq(response.last_verified());
    request.set_after_hash(response.last_hash());
  } while (!response.complete() && ++calls < 10);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(response.fault(), v1::FAULT_ROW_CHANGED);
  EXPECT_EQ(response.first_wrong(), 35);
  request.set_after_hash("short");
  EXPECT_EQ(VerifyJournal(test_.database.pool(), test_.service, test_.Keys(), nullptr, request,
                          absl::InfiniteFuture())
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(VerifyTest, AnEmptyJournalVerifies) {
  TestJournal empty;
  const auto verified = VerifyJournal(empty.database.pool(), empty.service, empty.Keys(), nullptr,
                                      {}, WallNow() + absl::Seconds(60));
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->fault(), v1::FAULT_UNSPECIFIED) << verified->explanation();
  EXPECT_TRUE(verified->complete());
}

struct Tampering {
  const char* name;
  v1::Fault fault;
  int64_t first_wrong;
  const char* explanation;  // a part of it
  std::function<void(VerifyTest&)> tamper;
};

class TamperingTest : public VerifyTest, public testing::WithParamInterface<int> {
 public:
  static const std::vector<Tampering>& All();
};

const std::vector<Tampering>& TamperingTest::All() {
  static const std::vector<Tampering>& all =
      *new std::vector<Tampering>{
          {"public part changed", v1::FAULT_ROW_CHANGED, 17, "entry 17",
           [](VerifyTest& t) {
             t.Sql(absl::StrCat(
                 "UPDATE journal SET public_part = CONCAT(public_part, 'x') WHERE id = ",
                 t.IdAt(17)));
           }},
          {"private part changed", v1::FAULT_ROW_CHANGED, 17, "was changed",
           [](VerifyTest& t) {
             t.Sql(absl::StrCat(
                 "UPDATE journal SET private_part = CONCAT(private_part, 'x') WHERE id = ",
                 t.IdAt(17)));
           }},
          {"leaf changed", v1::FAULT_ROW_CHANGED, 17, "was changed",
           [](VerifyTest& t) {
             t.Sql(
                 absl::StrCat("UPDATE journal SET leaf = REPEAT('x', 32) WHERE id = ", t.IdAt(17)));
           }},
          {"digest changed", v1::FAULT_ROW_CHANGED, 1, "was changed",
           [](VerifyTest& t) {
             t.Sql(absl::StrCat("UPDATE journal SET private_digest = REPEAT('x', 32) WHERE id = ",
                                t.IdAt(1)));
           }},
          {"row changed with its leaf", v1::FAULT_CHAIN_BROKEN, 17,
           "changed together with its digests", [](VerifyTest& t) { t.ForgeRow(17); }},
          {"last row changed with its leaf", v1::FAULT_CHAIN_BROKEN, 40, "entry 40",
           [](VerifyTest& t) { t.ForgeRow(40); }},
          {"row removed", v1::FAULT_ROW_REMOVED, 17, "removed",
           [](VerifyTest& t) {
             t.Sql(absl::StrCat("DELETE FROM journal WHERE id = ", t.IdAt(17)));
           }},
          {"entry removed", v1::FAULT_CHAIN_GAP, 17, "missing",
           [](VerifyTest& t) { t.Sql("DELETE FROM journal_chain WHERE seq = 17"); }},
          {"first entry removed", v1::FAULT_CHAIN_GAP, 1, "missing",
           [](VerifyTest& t) { t.Sql("DELETE FROM journal_chain WHERE seq = 1"); }},
          {"entry removed and the others moved up", v1::FAULT_CHAIN_BROKEN, 17, "taken out",
           [](VerifyTest& t) {
             t.Sql("DELETE FROM journal_chain WHERE seq = 17");
             t.Sql("UPDATE journal_chain SET seq = seq - 1 WHERE seq > 17 ORDER BY seq");
             t.Sql("UPDATE journal_head SET seq = seq - 1");
           }},
          {"row put into the chain", v1::FAULT_CHAIN_BROKEN, 17, "entry 17 was put in",
           [](VerifyTest& t) {
             const std::string leaf = LeafOf(PartDigest(""), PartDigest(""));
             t.Sql("UPDATE journal_chain SET seq = seq + 1 WHERE seq >= 17 ORDER BY seq DESC");
             t.Sql(
                 absl::StrCat("INSERT INTO journal (id, request_key, public_part, private_part, "
                              "private_digest, leaf, wrapped_key) "
                              "VALUES (9999, REPEAT('k', 32), '', '', x'",
                              ToHex(PartDigest("")), "', x'", ToHex(leaf), "', '')"));
             t.Sql(absl::StrCat(
                 "INSERT INTO journal_chain (seq, journal_id, hash) VALUES (17, 9999, x'",
                 ToHex(ChainHash(t.HashAt(16), leaf)), "')"));
             // Passes for readable, too.
             const Sealed sealed = t.test_.vault.Seal(PrivatePartPlace(std::string(32, 'k')), "");
             const std::string own = LeafOf(PartDigest(""), PartDigest(sealed.bytes));
             t.administrator_.Execute(
                 "UPDATE journal SET private_part = ?, private_digest = ?, leaf = ?, wrapped_key = "
                 "? WHERE id "
                 "= 9999",
                 db::Bytes(sealed.bytes), db::Bytes(PartDigest(sealed.bytes)), db::Bytes(own),
                 db::Bytes(sealed.wrapped_key));
             t.administrator_.Execute("UPDATE journal_chain SET hash = ? WHERE seq = 17",
                                      db::Bytes(ChainHash(t.HashAt(16), own)));
             t.Sql("UPDATE journal_head SET seq = seq + 1");
           }},
          {"two rows changed places", v1::FAULT_CHAIN_BROKEN, 17, "changed places",
           [](VerifyTest& t) {
             const int64_t a = t.IdAt(17), b = t.IdAt(18);
             t.Sql("UPDATE journal_chain SET journal_id = 9999 WHERE seq = 17");
             t.Sql(absl::StrCat("UPDATE journal_chain SET journal_id = ", a, " WHERE seq = 18"));
             t.Sql(absl::StrCat("UPDATE journal_chain SET journal_id = ", b, " WHERE seq = 17"));
           }},
          {"a hash changed", v1::FAULT_CHAIN_BROKEN, 17, "hash was changed",
           [](VerifyTest& t) {
             t.Sql("UPDATE journal_chain SET hash = REPEAT('x', 32) WHERE seq = 17");
           }},
          {"rewritten from 17 on, without the key", v1::FAULT_SIGNATURE, 11, "entry 20",
           [](VerifyTest& t) {
             t.ForgeRow(17);
             t.Rechain(17, nullptr);
           }},
          {"rewritten with another key", v1::FAULT_SIGNATURE, 11, "does not verify",
           [](VerifyTest& t) {
             t.ForgeRow(17);
             t.Rechain(17, Signer::FromPem(Signer::NewPem())->get());
           }},
          {"signatures taken away from the end", v1::FAULT_SIGNATURE, 31, "not signed",
           [](VerifyTest& t) {
             t.Sql("UPDATE journal_chain SET signature = NULL WHERE seq > 30");
           }},
          {"tail cut off below the head", v1::FAULT_TAIL_CUT, 36, "chain ends at 35",
           [](VerifyTest& t) { t.Sql("DELETE FROM journal_chain WHERE seq > 35"); }},
          {"tail cut off inside a batch, with the head", v1::FAULT_SIGNATURE, 31, "not signed",
           [](VerifyTest& t) { t.CutTail(35); }},
          {"head moved back alone", v1::FAULT_CHAIN_BROKEN, 31, "beyond its head",
           [](VerifyTest& t) {
             t.Sql(
                 "UPDATE journal_head SET seq = 30, hash = (SELECT hash FROM journal_chain WHERE "
                 "seq = "
                 "30), signature = "
                 "(SELECT signature FROM journal_chain WHERE seq = 30)");
           }},
          {"head's hash changed", v1::FAULT_CHAIN_BROKEN, 40, "head has another hash",
           [](VerifyTest& t) { t.Sql("UPDATE journal_head SET hash = REPEAT('x', 32)"); }},
          {"head's signature changed", v1::FAULT_SIGNATURE, 40, "not signed",
           [](VerifyTest& t) { t.Sql("UPDATE journal_head SET signature = REPEAT('x', 64)"); }},
          {"row put behind the chain's end", v1::FAULT_CHAIN_BROKEN, 41, "beyond its head",
           [](VerifyTest& t) {
             t.Sql(
                 "INSERT INTO journal_chain (seq, journal_id, hash) VALUES (41, 9999, REPEAT('x', "
                 "32))");
           }},
          {"data key destroyed", v1::FAULT_UNREADABLE, 17, "cannot be decrypted",
           [](VerifyTest& t) {
             t.Sql(
                 absl::StrCat("UPDATE journal SET wrapped_key = 'test:' WHERE id = ", t.IdAt(17)));
           }},
      };  // namespace
  return all;
}  // namespace yuezhan::journal
TEST_P(TamperingTest, IsFoundAndTheFirstWrongRowNamed) {
  const Tampering& tampering = All()[static_cast<size_t>(GetParam())];
  SCOPED_TRACE(tampering.name);
  SetLogLevel(LogLevel::kError);
  tampering.tamper(*this);
  const auto verified = Verify();
  EXPECT_EQ(v1::Fault_Name(verified.fault()), v1::Fault_Name(tampering.fault))
      << verified.explanation();
  EXPECT_EQ(verified.first_wrong(), tampering.first_wrong) << verified.explanation();
  EXPECT_THAT(verified.explanation(), HasSubstr(tampering.explanation));
  EXPECT_TRUE(verified.complete());
}
INSTANTIATE_TEST_SUITE_P(All, TamperingTest,
                         testing::Range(0, static_cast<int>(TamperingTest::All().size())));

// What only a witness can tell: everything inside the database, signatures included, goes together.
TEST_F(VerifyTest, ATailCutOffCleanlyContradictsAWitness) {
  const std::vector<v1::Witness> witnesses = {Saw(12), Saw(35)};
  CutTail(30);
  EXPECT_EQ(Verify().fault(), v1::FAULT_UNSPECIFIED) << "no one else's word, no proof";
  const auto verified = Verify(witnesses);
  EXPECT_EQ(verified.fault(), v1::FAULT_TAIL_CUT);
  EXPECT_EQ(verified.first_wrong(), 31);
  EXPECT_THAT(verified.explanation(), HasSubstr("payment saw entry 35"));
}

TEST_F(VerifyTest, AChainRewrittenWithTheSigningKeyContradictsAWitness) {
  const std::vector<v1::Witness> witnesses = {Saw(12), Saw(25), Saw(40)};
  ForgeRow(17);
  Rechain(17, test_.signer.get());
  EXPECT_EQ(Verify().fault(), v1::FAULT_UNSPECIFIED);
  const auto verified = Verify(witnesses);
  EXPECT_EQ(verified.fault(), v1::FAULT_CONTRADICTS_WITNESS);
  EXPECT_EQ(verified.first_wrong(), 13) << "after the last one that agreed";
  EXPECT_THAT(verified.explanation(), HasSubstr("payment saw another hash at entry 25"));
}

}  // namespace
}  // namespace yuezhan::journal
