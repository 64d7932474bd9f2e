#ifndef YUEZHAN_COMMON_JOURNAL_SCHEMA_H_
#define YUEZHAN_COMMON_JOURNAL_SCHEMA_H_

#include "common/db/migrate.h"

namespace yuezhan::journal {

// Migration 1 of every service: journal, chain, head, followers' cursors, and what the serving
// account may do to them.
db::Migration JournalMigration();

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_SCHEMA_H_
