#include "tests/payment_world.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/auth/tokens.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/time_proto.h"
#include "common/db/session.h"
#include "common/errors/errors.h"
#include "google/protobuf/message.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::tests {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value != nullptr && *value != '\0') return value;
  std::fprintf(stderr, "%s must be set: run ./test, which starts what the tests need.\n", name);
  std::exit(1);
}

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "the payment world: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}
template <typename T>
T Must(absl::StatusOr<T> value) {
  Must(value.status());
  return *std::move(value);
}

// How long a process may take until it serves, on a machine that has much else to do.
constexpr absl::Duration kStart = absl::Minutes(3);

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string OutputOf(const std::string& command, int* code) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Must(absl::InternalError(command));
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, n);
  const int status = pclose(pipe);
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

// A service of the contract whose methods that payment asks are answered by `peer`.
rpc::Service Fake(const google::protobuf::ServiceDescriptor* contract, payment::TestPeer* peer) {
  rpc::Service service(contract->full_name());
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  for (int i = 0; i < contract->method_count(); ++i) {
    const auto* method = contract->method(i);
    const std::string path = absl::StrCat(contract->full_name(), "/", method->name());
    const bool asked = method->name() == "GetStanding" || method->name() == "BatchGetStandings" ||
                       method->name() == "BatchGetSubmissions";
    service.AddMethod({method->name(), factory->GetPrototype(method->input_type()),
                       factory->GetPrototype(method->output_type()),
                       [peer, path, asked](Context&, const google::protobuf::Message& request,
                                           google::protobuf::Message* answer) {
                         return asked ? peer->Call(path, request, answer, {})
                                      : errors::MethodUnknown(path);
                       }});
  }
  return service;
}

}  // namespace

OwnDatabase::OwnDatabase(const std::string& directory) : directory_(directory) {
  int code = 0;
  url_ = OutputOf(absl::StrCat("YUEZHAN_BUFFER_POOL=64M ", Environment("YUEZHAN_SOURCE"),
                               "/deploy/private-mariadb start ", directory),
                  &code);
  if (code != 0 || url_.empty()) Must(absl::InternalError("no database"));
  url_.erase(url_.find_last_not_of('\n') + 1);
  // From now on it is a child of ours, started by the words that it was started by.
  const std::string pid = ReadAll(directory + "/pid");
  const pid_t number = std::atoi(pid.c_str());
  const std::string proc = absl::StrCat("/proc/", number);
  program_ = std::filesystem::read_symlink(proc + "/exe");
  const std::string line = ReadAll(proc + "/cmdline");
  arguments_ = absl::StrSplit(line, '\0', absl::SkipEmpty());
  arguments_.erase(arguments_.begin());
  kill(number, SIGTERM);
  while (std::filesystem::exists(proc + "/exe")) {
    if (ReadAll(proc + "/stat").find(") Z") != std::string::npos) break;
    absl::SleepFor(absl::Milliseconds(20));
  }
  std::filesystem::remove(directory + "/pid");
  KillAndStart();
}

void OwnDatabase::KillAndStart() {
  process_.reset();
  std::filesystem::remove(directory_ + "/data/mariadb.sock");
  process_ = Must(yz::Process::Start(program_, arguments_, directory_ + "/mariadbd.log"));
  AwaitServing();
}

void OwnDatabase::AwaitServing() {
  const db::Options options = Must(db::ParseUrl(url_));
  for (const absl::Time end = absl::Now() + kStart; absl::Now() < end;) {
    try {
      db::Session session(options);
      return;
    } catch (const db::Error&) {
      absl::SleepFor(absl::Milliseconds(50));
    }
  }
  Must(absl::DeadlineExceededError("the database does not start"));
}

PaymentWorld::PaymentWorld()
    : directory_(std::filesystem::temp_directory_path() / ("yuezhan-payment-" + NewUuid())),
      rulebook_(policy::Policies::Builtin(), policy::Calendar::Builtin()) {
  std::filesystem::create_directories(directory_);
  database_ = std::make_unique<OwnDatabase>(directory_ + "/mariadb");
  yz::StackOptions options;
  options.directory = directory_ + "/stack";
  options.binaries = Environment("YUEZHAN_BIN");
  options.mysql = database_->url();
  options.schema_prefix = "c_";
  options.tls = false;
  options.clock_start = BeijingMidnight(Day(2026, 9, 15)) + absl::Hours(9);
  {
    // Made once for its keys, and again with the settings that name the peers.
    const auto keys = Must(yz::Stack::Open(options));
  }
  auth::VerifierOptions trusted;
  trusted.key_directory = options.directory + "/keys/tokens";
  trusted.issuer = "yuezhan";
  verifier_ = Must(auth::TokenVerifier::Create(trusted));
  ServePeers();
  const std::string target = absl::StrCat("127.0.0.1:", peers_->port());
  options.settings["payment"] = {"--registry=" + target, "--application=" + target,
                                 "--hold=" + directory_ + "/hold", "--hold_least=0s",
                                 "--connections=12"};
  stack_ = Must(yz::Stack::Open(options));
  for (const char* instance : {"bank", "review", "payment"}) Must(stack_->Start(instance, kStart));
  const std::string keys = options.directory + "/keys/";
  review_vault_ = std::make_unique<journal::Vault>(
      Must(journal::Vault::Parse(ReadAll(keys + "review.vault"))));
  payment_vault_ = std::make_unique<journal::Vault>(
      Must(journal::Vault::Parse(ReadAll(keys + "payment.vault"))));
  review_pool_ =
      std::make_unique<db::Pool>(Must(db::ParseUrl(ReadAll(keys + "review.serve.url"))), 2);
  Clocks clocks = Must(OpenClocks(options.directory + "/clock"));
  review_ = std::make_unique<journal::Journal>(*review_pool_, *review_vault_, clocks, "review");
}

PaymentWorld::~PaymentWorld() {
  stack_->StopAll().IgnoreError();
  peers_->Stop();
  review_.reset();
  review_pool_.reset();
  stack_.reset();
  database_.reset();
  std::filesystem::remove_all(directory_);
}

void PaymentWorld::ServePeers() {
  rpc::ServerOptions options;
  options.plaintext = true;
  peers_ = std::make_unique<rpc::Server>(options, verifier_.get());
  peers_->Add(Fake(registry::v1::Station::descriptor()->file()->service(0), &peer_));
  peers_->Add(Fake(application::v1::Application::descriptor()->file()->service(0), &peer_));
  Must(peers_->Start());
}

absl::Status PaymentWorld::Call(const std::string& subject, Role role, std::string_view method,
                                const google::protobuf::Message& request,
                                google::protobuf::Message* answer) {
  const Caller caller{subject, subject, {role}, ""};
  for (const absl::Time end = absl::Now() + kStart;;) {
    const absl::Status status = stack_->client().Call(caller, method, request, answer);
    const bool away = absl::IsUnavailable(status) || absl::IsAborted(status) ||
                      absl::IsDeadlineExceeded(status) || absl::IsResourceExhausted(status);
    if (!away) ++answered_;
    if (!away || absl::Now() > end) return status;
    absl::SleepFor(absl::Milliseconds(20));
  }
}

std::vector<payment::TestCase> PaymentWorld::Clear(int count) {
  std::vector<payment::TestCase> cases(count);
  db::Session sql = Administrator();
  const std::string review = Schema("review");
  // Columns that an audit does not look at are left as they come.
  sql.ExecuteText("SET SESSION sql_mode = ''");
  const std::string notice = UuidToBytes(NewUuid()).value();
  sql.Execute(absl::StrCat("INSERT INTO ", review,
                           ".notices (id, state, list_digest, total_fen, last_day, provisional, "
                           "version, sealed, wrapped_key) VALUES (?, 3, ?, 0, ?, 0, 1, '', '')"),
              db::Bytes(notice), db::Bytes(std::string(32, 'l')),
              Day(2026, 9, 8) - Day(1970, 1, 1));
  for (int at = 0; at < count; at += 20) {
    std::vector<review::v1::CaseAdvanced> events;
    for (int i = at; i < std::min(count, at + 20); ++i) {
      const payment::TestCase& c = cases[i];
      peer_.Know(c);
      const std::string id = UuidToBytes(IdOf("cases/*", c.case_name).value()).value();
      sql.Execute(absl::StrCat("INSERT INTO ", review,
                               ".cases (id, application, state, notice, amount_fen, line_digest, "
                               "reserved, version, sealed, wrapped_key) VALUES (?, ?, 9, ?, ?, ?, "
                               "1, 1, '', '')"),
                  db::Bytes(id), db::Bytes(id), db::Bytes(notice), c.amount_fen,
                  db::Bytes(FromHex(c.line_digest).value()));
      for (const auto state : {review::v1::CASE_STATE_AWARDED, review::v1::CASE_STATE_CLEARED})
        events.push_back(payment::CaseEvent(c, state, rulebook_));
    }
    Must(review_->WriteInternal("test/cases", NewUuid(), absl::Now() + absl::Seconds(30),
                                [&](journal::Unit& unit) {
                                  for (const auto& event : events) unit.Emit(event);
                                  return absl::OkStatus();
                                }));
  }
  return cases;
}

void PaymentWorld::Misbehave(bank::v1::SetBehaviorRequest how) {
  behavior_ = std::move(how);
  bank::v1::SetBehaviorResponse done;
  Must(Call("operator", Role::kOperator, "yuezhan.bank.v1.SimulatorService/SetBehavior", behavior_,
            &done));
}

std::string PaymentWorld::Statement() {
  return Must(Ask<bank::v1::GetStatementResponse>("operator", Role::kOperator,
                                                  "yuezhan.bank.v1.SimulatorService/GetStatement",
                                                  bank::v1::GetStatementRequest()))
      .content();
}

void PaymentWorld::Kill(const std::string& instance) {
  stack_->Kill(instance);
  // While the database is away a service does not start: once more then.
  for (int i = 0; i < 20 && !stack_->Start(instance, kStart).ok(); ++i) {
    stack_->Kill(instance);
    absl::SleepFor(absl::Milliseconds(200));
  }
  if (instance == "bank" && behavior_.seed() != 0) {
    behavior_.set_seed(behavior_.seed() + 1);
    Misbehave(behavior_);
  }
}

db::Session PaymentWorld::Administrator() {
  return db::Session(Must(db::ParseUrl(database_->url())));
}

void PaymentWorld::CopyTables(const std::string& from, const std::string& to) {
  db::Session sql = Administrator();
  for (const db::Row& row : sql.Query(
           "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", from)) {
    const std::string table = row.Text(0);
    sql.ExecuteText(absl::StrCat("CREATE TABLE IF NOT EXISTS ", to, ".", table, " LIKE ", from, ".",
                                 table));
    sql.ExecuteText(absl::StrCat("TRUNCATE TABLE ", to, ".", table));
    sql.ExecuteText(
        absl::StrCat("INSERT INTO ", to, ".", table, " SELECT * FROM ", from, ".", table));
  }
}

void PaymentWorld::Backup() {
  stack_->Kill("payment");
  Administrator().ExecuteText("CREATE DATABASE backup_of_payment");
  CopyTables(Schema("payment"), "backup_of_payment");
  Must(stack_->Start("payment", kStart));
}

void PaymentWorld::Restore() {
  stack_->Kill("payment");
  std::ofstream(directory_ + "/hold") << "restored";
  CopyTables("backup_of_payment", Schema("payment"));
  Must(stack_->Start("payment", kStart));
}

std::vector<auditor::Fault> PaymentWorld::Audit() {
  db::Session sql = Administrator();
  const auto moves = Must(auditor::ReadBankStatement(Statement()));
  return auditor::Audit({sql, Schema("payment"), Schema("review"), &moves, AccountKey()});
}

std::function<std::string(std::string_view)> PaymentWorld::AccountKey() const {
  return [this](std::string_view number) {
    return payment_vault_->SearchKey("payment.account", number);
  };
}

std::string PaymentWorld::AuditByProgram(int* code) {
  const std::string file = directory_ + "/statement.csv";
  std::ofstream(file, std::ios::binary) << Statement();
  const std::string url = directory_ + "/database.url";
  std::ofstream(url) << database_->url();
  return OutputOf(absl::StrCat(Environment("YUEZHAN_BIN"), "/yuezhan-auditor --database=@", url,
                               " --payment_schema=", Schema("payment"), " --review_schema=",
                               Schema("review"), " --statement=", file, " --vault_keys=@",
                               directory_, "/stack/keys/payment.vault"),
                  code);
}

}  // namespace yuezhan::tests
