#ifndef YUEZHAN_TESTS_TEST_STACK_H_
#define YUEZHAN_TESTS_TEST_STACK_H_

#include <memory>
#include <string>

#include "services/yz/stack.h"

namespace yuezhan::tests {

// The whole product for one test: processes, schemas and folder of its own, gone at the end. Needs
// YUEZHAN_MYSQL (an administrator's URL) and YUEZHAN_BIN, which ./test sets; a failure to start
// ends the test program with the reason.
class TestStack {
 public:
  struct Options {
    bool tls = true;
    bool start = true;
    std::string mysql = {};  // another database than YUEZHAN_MYSQL
    std::map<std::string, std::vector<std::string>> settings = {};
  };
  explicit TestStack(Options options);
  ~TestStack();

  yz::Stack& stack() { return *stack_; }
  yz::Client& client() { return stack_->client(); }
  // A file of the stack's folder: "tls/ca.pem", "keys/registry.serve.url".
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  // Stops everything, drops the schemas and makes them anew, empty, with the same keys and
  // passwords: a new machine with the old one's folder. Starts nothing.
  void LoseDatabase();
  // host:port of a service.
  std::string TargetOf(const std::string& service);

  // The start of the paths of a service's secrets: ".vault", ".migrate.url".
  std::string KeyFile(const std::string& service) const {
    return directory_ + "/keys/" + service;
  }

  // Rows of a table in one service's schema, or of all four together, as the administrator sees
  // them.
  int64_t Count(const std::string& service, const std::string& table,
                const std::string& where = "");
  int64_t CountAll(const std::string& table, const std::string& where = "");

 private:
  void Open();
  std::string directory_;
  yz::StackOptions options_;
  std::unique_ptr<yz::Stack> stack_;
};

}  // namespace yuezhan::tests

#endif  // YUEZHAN_TESTS_TEST_STACK_H_
