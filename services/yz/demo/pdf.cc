#include "services/yz/demo/pdf.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace yuezhan::yz {

std::string SmallPdf(const std::string& line) {
  const std::string text = absl::StrCat("BT /F1 14 Tf 72 760 Td (", line, ") Tj ET");
  const std::string objects[] = {
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
      "/Resources << /Font << /F1 5 0 R >> >> >>",
      absl::StrCat("<< /Length ", text.size(), " >>\nstream\n", text, "\nendstream"),
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  };
  std::string pdf = "%PDF-1.4\n";
  std::string table = absl::StrCat("xref\n0 ", std::size(objects) + 1, "\n0000000000 65535 f \n");
  int number = 0;
  for (const std::string& object : objects) {
    absl::StrAppendFormat(&table, "%010d 00000 n \n", pdf.size());
    absl::StrAppend(&pdf, ++number, " 0 obj\n", object, "\nendobj\n");
  }
  const size_t start = pdf.size();
  return absl::StrCat(pdf, table, "trailer\n<< /Size ", std::size(objects) + 1,
                      " /Root 1 0 R >>\nstartxref\n", start, "\n%%EOF\n");
}

}  // namespace yuezhan::yz
