#include "common/list/list.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::list {
namespace {

constexpr size_t kMaxConditions = 20;
// After every character: the end of what begins with a prefix.
constexpr std::string_view kAfterAll = "\U0010FFFF";

absl::Status Wrong(std::string_view path, std::string_view zh, std::string_view en) {
  return errors::InvalidField(path, zh, en);
}

std::string KnownFields(const Table& table) {
  return absl::StrJoin(table.fields, "; ", [](std::string* out, const Field& field) {
    *out += Concat({field.name, " ", field.operators, field.prefix ? " (\"…*\")" : ""});
  });
}

std::string KnownPlans(const Table& table) {
  std::vector<std::string> plans;
  for (const Plan& plan : table.plans) {
    std::string text = absl::StrJoin(plan.equal, "+", [](std::string* out, const auto& equal) {
      *out += equal.first;
    });
    if (text.empty()) text.push_back('-');
    if (!plan.order.empty()) text += Concat({" by ", plan.order});
    if (plan.few) text += "+…";
    plans.push_back(std::move(text));
  }
  return absl::StrJoin(plans, "; ");
}

const Field* FindField(const Table& table, std::string_view name) {
  for (const Field& field : table.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

bool Knows(const Field& field, std::string_view op) {
  for (const auto each : absl::StrSplit(Abs(field.operators), ' ')) {
    if (Std(each) == op) return true;
  }
  return false;
}

// ---- values ----

absl::StatusOr<Value> EnumValue(const Field& field, std::string_view text) {
  std::vector<std::string_view> known;
  const std::string_view unspecified = field.values->value(0)->name();
  const std::string prefix(unspecified.substr(0, unspecified.size() - 11));  // "UNSPECIFIED"
  for (int i = 1; i < field.values->value_count(); ++i) {
    const auto* value = field.values->value(i);
    const std::string_view name = value->name();
    if (text == name || text == name.substr(prefix.size())) return Value(int64_t{value->number()});
    known.push_back(name.substr(prefix.size()));
  }
  const std::string list = absl::StrJoin(known, ", ", [](std::string* out, std::string_view each) {
    *out += each;
  });
  return Wrong("filter", Concat({field.name, " 的取值应为：", list}),
               Concat({field.name, " must be one of ", list}));
}

absl::StatusOr<Value> ValueOf(const Field& field, std::string_view text) {
  const auto wrong = [&](std::string_view form) {
    return Wrong("filter", Concat({field.name, " 的值应形如 ", form}),
                 Concat({field.name, " must look like ", form}));
  };
  switch (field.kind) {
    case Kind::kText:
      return Value(field.spelling == nullptr ? std::string(text) : field.spelling(text));
    case Kind::kInteger: {
      int64_t number = 0;
      if (!absl::SimpleAtoi(Abs(text), &number)) return wrong("100000");
      return Value(number);
    }
    case Kind::kBool:
      if (text != "true" && text != "false") return wrong("true, false");
      return Value(int64_t{text == "true"});
    case Kind::kEnum:
      return EnumValue(field, text);
    case Kind::kDay: {
      const auto day = ParseDay(text);
      if (!day) return wrong("2021-03-22");
      return Value(int64_t{*day - Day(1970, 1, 1)});
    }
    case Kind::kTime: {
      if (const auto day = ParseDay(text)) return Value(absl::ToUnixMillis(BeijingMidnight(*day)));
      absl::Time time;
      if (!absl::ParseTime(absl::RFC3339_full, Abs(text), &time, nullptr))
        return wrong("2021-03-22T09:30:00+08:00");
      return Value(absl::ToUnixMillis(time));
    }
    case Kind::kName: {
      const auto id = IdOf(field.pattern, text);
      if (!id.ok()) return wrong(field.pattern);
      return Value(Binary{UuidToBytes(*id).value()});
    }
  }
  return wrong("?");
}

// ---- filter ----

// Reads the filter from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) { SkipBlanks(); }

  bool AtEnd() const { return rest_.empty(); }
  // [a-z_.]+ or an upper-case keyword.
  std::string_view Word() {
    size_t size = 0;
    while (size < rest_.size() && (absl::ascii_isalnum(static_cast<unsigned char>(rest_[size])) ||
                                   rest_[size] == '_' || rest_[size] == '.'))
      ++size;
    return Take(size);
  }
  std::string_view Operator() {
    size_t size = 0;
    while (size < rest_.size() && std::string_view("=<>!:").find(rest_[size]) !=
                                      std::string_view::npos)
      ++size;
    return Take(size);
  }
  // A quoted text, or all up to the next blank. False where there is none.
  bool Literal(std::string* text) {
    text->clear();
    if (rest_.empty()) return false;
    if (rest_[0] != '"') {
      *text = Take(std::min(rest_.size(), rest_.find_first_of(" \t\n()\"")));
      return !text->empty();
    }
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        Take(i + 1);
        return true;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      *text += rest_[i];
    }
    return false;
  }
  std::string_view rest() const { return rest_; }

 private:
  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(" \t\n")));
  }
  std::string_view Take(size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    SkipBlanks();
    return taken;
  }
  std::string_view rest_;
};

absl::Status AddCondition(const Table& table, std::string_view name, std::string_view op,
                          std::string text, std::vector<Condition>* out) {
  const Field* field = FindField(table, name);
  if (field == nullptr || field->operators.empty()) {
    return Wrong("filter", Concat({"没有可筛选的字段 ", name, "；可用：", KnownFields(table)}),
                 Concat({"there is no field ", name, "; known: ", KnownFields(table)}));
  }
  if (!Knows(*field, op)) {
    return Wrong("filter",
                 Concat({"字段 ", name, " 不支持运算符 ", op, "；可用：", field->operators}),
                 Concat({"field ", name, " knows no operator ", op, "; known: ",
                         field->operators}));
  }
  if (field->prefix && op == "=" && text.size() > 1 && text.back() == '*') {
    text.pop_back();
    YZ_ASSIGN_OR_RETURN(const Value from, ValueOf(*field, text));
    out->push_back({field, ">=", from});
    out->push_back({field, "<", Concat({std::get<std::string>(from), kAfterAll})});
    return absl::OkStatus();
  }
  YZ_ASSIGN_OR_RETURN(Value value, ValueOf(*field, text));
  // The table's word for the operator outlives the request.
  for (const std::string_view known : {"=", "<", "<=", ">", ">="}) {
    if (op == known) out->push_back({field, known, std::move(value)});
  }
  return absl::OkStatus();
}

// The same value twice (the caller's and the service's own) is one.
absl::Status OneValueEach(std::vector<Condition>* conditions) {
  for (size_t i = 0; i < conditions->size(); ++i) {
    for (size_t k = conditions->size() - 1; k > i; --k) {
      const Condition &a = (*conditions)[i], &b = (*conditions)[k];
      if (a.field != b.field || a.op != "=" || b.op != "=") continue;
      if (a.value != b.value) {
        return Wrong("filter", Concat({"字段 ", a.field->name, " 只能给出一个值"}),
                     Concat({"field ", a.field->name, " has one value only"}));
      }
      conditions->erase(conditions->begin() + static_cast<ptrdiff_t>(k));
    }
  }
  return absl::OkStatus();
}

absl::Status ParseFilter(const Table& table, std::string_view filter, std::vector<Condition>* out) {
  Reader reader(filter);
  while (!reader.AtEnd()) {
    const std::string_view from = reader.rest();
    const std::string_view name = reader.Word();
    const std::string_view op = reader.Operator();
    std::string text;
    if (name.empty() || op.empty() || !reader.Literal(&text)) {
      return Wrong("filter",
                   Concat({"无法解析“", from.substr(0, from.find(' ')),
                           "”；格式：字段 运算符 值，以 AND 连接；可用：", KnownFields(table)}),
                   Concat({"is no comparison: write field operator value, joined by AND; known: ",
                           KnownFields(table)}));
    }
    YZ_RETURN_IF_ERROR(AddCondition(table, name, op, std::move(text), out));
    if (out->size() > kMaxConditions) return errors::TooLarge("filter", kMaxConditions, "items");
    if (reader.AtEnd()) break;
    if (reader.Word() != "AND" || reader.AtEnd()) {
      return Wrong("filter", "条件之间只能以 AND 连接", "comparisons are joined by AND alone");
    }
  }
  return absl::OkStatus();
}

// ---- order and plan ----

absl::Status ParseOrder(const Table& table, std::string_view order_by, Query* query) {
  const std::vector<std::string> words =
      absl::StrSplit(Abs(order_by), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.empty()) return absl::OkStatus();
  std::vector<std::string_view> known;
  for (const Plan& plan : table.plans) {
    if (!plan.order.empty() && std::find(known.begin(), known.end(), plan.order) == known.end())
      known.push_back(plan.order);
  }
  const bool direction = words.size() == 1 || words[1] == "asc" || words[1] == "desc";
  if (words.size() > 2 || !direction ||
      std::find(known.begin(), known.end(), words[0]) == known.end()) {
    const std::string list = absl::StrJoin(known, ", ", [](std::string* out, std::string_view f) {
      *out += f;
    });
    return Wrong("order_by", Concat({"可按以下字段之一排序（可加 desc）：", list}),
                 Concat({"must be one of these, desc behind it or not: ", list}));
  }
  query->order = FindField(table, words[0]);
  query->descending = words.size() == 2 && words[1] == "desc";
  return absl::OkStatus();
}

bool Serves(const Plan& plan, const Query& query) {
  const std::string_view order = query.order == nullptr ? "" : query.order->name;
  if (plan.order != order) return false;
  size_t found = 0;
  for (const Condition& condition : query.conditions) {
    const bool equal = condition.op == "=" &&
                       std::any_of(plan.equal.begin(), plan.equal.end(), [&](const auto& each) {
                         return each.first == condition.field->name;
                       });
    found += equal;
    // A range of what the index is in the order of is one stretch of it.
    if (!equal && !plan.few && condition.field->name != plan.order) return false;
  }
  return found == plan.equal.size();
}

const Plan* FindPlan(const Table& table, const Query& query) {
  for (const Plan& plan : table.plans) {
    if (Serves(plan, query)) return &plan;
  }
  return nullptr;
}

absl::Status ChoosePlan(const Table& table, Query* query) {
  query->plan = FindPlan(table, *query);
  // A range comes in its own order, where no other is asked for.
  for (const Condition& condition : query->conditions) {
    if (query->plan != nullptr || query->order != nullptr || condition.op == "=") continue;
    query->order = condition.field;
    query->plan = FindPlan(table, *query);
    if (query->plan == nullptr) query->order = nullptr;
  }
  if (query->plan != nullptr) return absl::OkStatus();
  return Wrong("filter", Concat({"不支持这一组筛选和排序；支持：", KnownPlans(table)}),
               Concat({"this combination of filter and order is not served; served: ",
                       KnownPlans(table)}));
}

}  // namespace

absl::StatusOr<Query> Parse(
    const Table& table, std::string_view filter, std::string_view order_by,
    const std::vector<std::pair<std::string_view, std::string_view>>& own) {
  Query query;
  for (const auto& [field, value] : own) {
    YZ_RETURN_IF_ERROR(AddCondition(table, field, "=", std::string(value), &query.conditions));
  }
  YZ_RETURN_IF_ERROR(ParseFilter(table, filter, &query.conditions));
  YZ_RETURN_IF_ERROR(OneValueEach(&query.conditions));
  YZ_RETURN_IF_ERROR(ParseOrder(table, order_by, &query));
  YZ_RETURN_IF_ERROR(ChoosePlan(table, &query));
  return query;
}

}  // namespace yuezhan::list
