// Prints docs/regulation-to-code.md: regulation_to_code SOURCE_DIRECTORY >
// docs/regulation-to-code.md
#include <iostream>

#include "common/rules/regulation_doc.h"

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::cerr << "usage: regulation_to_code SOURCE_DIRECTORY > docs/regulation-to-code.md\n";
    return 2;
  }
  const auto text = yuezhan::rules::RegulationToCode(argv[1]);
  if (!text.ok()) {
    std::cerr << text.status().message() << "\n";
    return 1;
  }
  std::cout << *text;
}
