// What review decided, against what was sent: by review's columns as they are, and by its journal,
// which says what was told to payment and when.
#include <map>

#include "common/base/digest.h"
#include "services/auditor/audit.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::auditor {
namespace {

constexpr SqlCheck kDecisionChecks[] = {
    {"decision.resolution",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t JOIN {p}.payments o ON o.id = t.payment LEFT "
     "JOIN {r}.cases c ON c.id = o.award WHERE c.id IS NULL OR c.amount_fen <> t.amount OR "
     "c.line_digest IS NULL OR c.line_digest <> t.line_digest"},
    {"decision.notice",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t JOIN {p}.payments o ON o.id = t.payment JOIN "
     "{r}.cases c ON c.id = o.award LEFT JOIN {r}.notices n ON n.id = c.notice WHERE n.id IS NULL "
     "OR n.last_day IS NULL OR n.provisional <> 0 OR n.last_day >= t.day"},
    {"decision.objection",
     "SELECT DISTINCT LOWER(HEX(t.id)) FROM {p}.transfers t JOIN {p}.payments o ON o.id = "
     "t.payment JOIN {r}.objections b ON b.case_id = o.award WHERE b.holds = 1"},
};

// What review's journal told of one case, as of its last word.
struct Told {
  int64_t awarded_fen = 0;
  std::string awarded_line;
  bool cleared = false;
  rules::v1::PaymentFacts clearance;
};

std::string UuidBytes(const std::string& name) {
  std::string hex;
  for (const char c : name.substr(name.find('/') + 1)) {
    if (c != '-') hex += c;
  }
  return FromHex(hex).value_or("");
}

std::map<std::string, Told> ReadJournal(const Evidence& evidence, std::vector<Fault>* faults) {
  std::map<std::string, Told> cases;
  constexpr int kPage = 2000;
  for (int64_t after = 0;;) {
    const db::Rows rows = evidence.sql.Query(
        WithSchemas(evidence,
                    "SELECT id, public_part FROM {r}.journal WHERE id > ? ORDER BY id LIMIT 2000"),
        after);
    for (const db::Row& row : rows) {
      after = row.Int(0);
      journal::v1::PublicPart part;
      if (!part.ParseFromString(row.Bytes(1)))
        faults->push_back({"decision.journal", std::to_string(after)});
      for (const auto& any : part.events()) {
        review::v1::CaseAdvanced event;
        if (!any.UnpackTo(&event)) continue;
        Told& told = cases[UuidBytes(event.case_name())];
        if (event.state() == review::v1::CASE_STATE_AWARDED) {
          told = Told{event.amount_fen(), event.line_digest(), false, {}};
        } else if (event.state() == review::v1::CASE_STATE_CLEARED) {
          told.cleared = true;
          told.clearance = event.clearance();
        }
      }
    }
    if (rows.size() < kPage) return cases;
  }
}

// Why a transfer of this amount and line may not have gone out; "": it may.
std::string_view Missing(const Told* told, int64_t fen, const std::string& line) {
  if (told == nullptr || told->awarded_fen != fen ||
      FromHex(told->awarded_line).value_or("") != line) {
    return "decision.awarded";
  }
  if (!told->cleared) return "decision.cleared";
  const rules::v1::PaymentFacts& facts = told->clearance;
  if (!facts.qualified()) return "decision.qualified";
  if (facts.resolution() != rules::v1::RESOLUTION_AWARD || facts.resolved_amount_fen() != fen)
    return "decision.resolved";
  if (facts.published_amount_fen() != fen || facts.published_line_digest() != told->awarded_line)
    return "decision.published";
  if (facts.open_objections_size() > 0) return "decision.open-objection";
  const auto& statement = facts.statement();
  if (statement.association_officer().empty() || statement.talent_office_officer().empty() ||
      statement.association_officer() == statement.talent_office_officer()) {
    return "decision.statement";
  }
  return "";
}

}  // namespace

void AuditDecisions(const Evidence& evidence, std::vector<Fault>* faults) {
  RunChecks(evidence, kDecisionChecks, std::size(kDecisionChecks), faults);
  const std::map<std::string, Told> cases = ReadJournal(evidence, faults);
  for (const db::Row& row : evidence.sql.QueryText(WithSchemas(
           evidence, "SELECT LOWER(HEX(t.id)), o.award, t.amount, t.line_digest FROM {p}.transfers "
                     "t JOIN {p}.payments o ON o.id = t.payment"))) {
    const auto told = cases.find(row.Bytes(1));
    const std::string_view missing =
        Missing(told == cases.end() ? nullptr : &told->second, row.Int(2), row.Bytes(3));
    if (!missing.empty()) faults->push_back({std::string(missing), row.Text(0)});
  }
}

}  // namespace yuezhan::auditor
