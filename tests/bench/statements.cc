#include "tests/bench/statements.h"

#include <atomic>
#include <thread>

#include "common/base/clocks.h"

namespace yuezhan::bench {
namespace {

thread_local std::string recorded_service;

Statement Keep(const db::Statement& sent) {
  Statement kept{sent.kind, recorded_service, std::string(sent.sql), {}, {}};
  kept.values.reserve(sent.count);  // arguments point into it
  for (size_t i = 0; i < sent.count; ++i) {
    const auto& value = sent.args[i].value;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      kept.values.emplace_back(*number);
      kept.args.emplace_back(*number);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      kept.args.emplace_back(std::get<std::string>(kept.values.emplace_back(std::string(*text))));
    } else if (const auto* bytes = std::get_if<db::Bytes>(&value)) {
      kept.args.emplace_back(db::Bytes(std::get<std::string>(
          kept.values.emplace_back(std::string(bytes->data)))));
    } else {
      kept.args.emplace_back(nullptr);
    }
  }
  return kept;
}

void Send(db::Session& session, const Statement& statement) {
  switch (statement.kind) {
    case db::Statement::Kind::kExecute:
      session.ExecuteList(statement.sql, statement.args);
      return;
    case db::Statement::Kind::kQuery:
      session.QueryList(statement.sql, statement.args);
      return;
    case db::Statement::Kind::kExecuteText:
      session.ExecuteText(statement.sql);
      return;
    case db::Statement::Kind::kQueryText:
      session.QueryText(statement.sql);
      return;
  }
}

}  // namespace

std::string RecordAs(std::string service) {
  recorded_service.swap(service);
  return service;
}

Statements Record(std::string_view service, const std::function<void()>& call) {
  Statements statements;
  const std::string before = RecordAs(std::string(service));
  db::Session::Observe([&](const db::Statement& sent) { statements.push_back(Keep(sent)); });
  call();
  db::Session::Observe({});
  RecordAs(before);
  return statements;
}

Replay::Replay(std::map<std::string, db::Options> schemas, int connections)
    : schemas_(std::move(schemas)), sessions_(static_cast<size_t>(connections)) {}
Replay::~Replay() = default;

absl::StatusOr<ReplayResult> Replay::Run(const std::vector<Statements>& calls, size_t begin,
                                         size_t end, int threads) {
  try {
    // Opened beforehand, and anew after the 30 s that the server keeps an idle one.
    for (int i = 0; i < threads; ++i) {
      Sessions& sessions = sessions_[static_cast<size_t>(i)];
      for (const auto& [service, options] : schemas_) {
        std::unique_ptr<db::Session>& session = sessions[service];
        try {
          if (session != nullptr) session->QueryText("SELECT 1");
        } catch (const db::Error&) {
          session.reset();
        }
        if (session == nullptr) session = std::make_unique<db::Session>(options);
      }
    }
  } catch (const db::Error& error) {
    return db::ToStatus(error);
  }
  ReplayResult result;
  result.calls = static_cast<int64_t>(end - begin);
  std::atomic<size_t> next = begin;
  std::atomic<int64_t> errors = 0;
  std::vector<std::thread> workers;
  const absl::Duration start = MonotonicNow();
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&, &sessions = sessions_[static_cast<size_t>(i)]] {
      for (size_t call = next++; call < end; call = next++) {
        bool failed = false;
        for (const Statement& statement : calls[call]) {
          try {
            Send(*sessions.at(statement.schema), statement);
          } catch (const db::Error&) {
            failed = true;
          }
        }
        if (failed) ++errors;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  result.elapsed = MonotonicNow() - start;
  result.errors = errors;
  return result;
}

}  // namespace yuezhan::bench
