#include "common/journal/schema.h"

namespace yuezhan::embedded {
extern const char journal_schema[];
}

namespace yuezhan::journal {

db::Migration JournalMigration() { return {1, "journal", embedded::journal_schema}; }

}  // namespace yuezhan::journal
