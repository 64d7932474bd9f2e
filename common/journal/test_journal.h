#ifndef YUEZHAN_COMMON_JOURNAL_TEST_JOURNAL_H_
#define YUEZHAN_COMMON_JOURNAL_TEST_JOURNAL_H_

#include <memory>
#include <string>
#include <vector>

#include "common/base/clocks.h"
#include "common/base/context.h"
#include "common/base/ids.h"
#include "common/db/test_database.h"
#include "common/journal/journal.h"
#include "common/journal/schema.h"
#include "common/journal/sequencer.h"
#include "common/journal/service.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"

namespace yuezhan::journal {

// A database with a journal and the means to write to it, for tests of journals and of services'
// stores.
struct TestJournal {
  // `migrations` come after the journal's own, from version 2.
  explicit TestJournal(std::string service_name = "registry",
                       std::vector<db::Migration> migrations = {})
      : service(std::move(service_name)), database(WithJournal(std::move(migrations))) {}

  static std::vector<db::Migration> WithJournal(std::vector<db::Migration> migrations) {
    migrations.insert(migrations.begin(), JournalMigration());
    return migrations;
  }
  // An officer who calls `method`.
  static Context Caller(const std::string& subject, const std::string& method) {
    Context context;
    context.caller = {subject, "审核员甲", {Role::kReviewer}, ""};
    context.method = method;
    context.deadline = WallNow() + absl::Seconds(60);
    return context;
  }
  // Chains all rows that are committed.
  absl::Status ChainAll() {
    Sequencer sequencer(database.pool(), signer, service, "test");
    while (true) {
      absl::StatusOr<absl::Duration> wait = sequencer.Step();
      if (!wait.ok()) return wait.status();
      const db::Row row =
          (*database.pool().Acquire(WallNow() + absl::Seconds(5)))
              ->Query("SELECT (SELECT COUNT(*) FROM journal), seq FROM journal_head")
              .at(0);
      if (row.Int(0) == row.Int(1)) return absl::OkStatus();
    }
  }
  VerifyingKeys Keys() const {
    VerifyingKeys keys;
    (void)keys.Add(signer->public_key());
    return keys;
  }
  // One value of one row, as the administrator sees it.
  int64_t Number(const std::string& query) const {
    return db::Session(database.administrator()).QueryText(query).at(0).Int(0);
  }

  const std::string service;
  db::TestDatabase database;
  Clocks clocks;
  const std::string master_key = Vault::NewKeyLine("test");
  Vault vault = *Vault::Parse(master_key);
  std::shared_ptr<const Signer> signer = *Signer::FromPem(Signer::NewPem());
  Journal journal{database.pool(), vault, clocks, service};
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_TEST_JOURNAL_H_
