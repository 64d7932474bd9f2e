#ifndef YUEZHAN_SERVICES_YZ_DEMO_PDF_H_
#define YUEZHAN_SERVICES_YZ_DEMO_PDF_H_

#include <string>

namespace yuezhan::yz {

// A valid PDF of one A4 page with one line of ASCII text: a material of the demonstration.
std::string SmallPdf(const std::string& line);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_DEMO_PDF_H_
