#include "common/auth/permissions.h"

#include <string>
#include <unordered_map>

namespace yuezhan::auth {
namespace {

// One line a role, in the order of the enum.
constexpr std::string_view kRoleNames[] = {
    "public",          "host_unit",          "filing_officer", "reviewer", "secretary", "director",
    "payment_officer", "payment_authorizer", "auditor",        "operator", "service",
};
static_assert(std::size(kRoleNames) == kRoleCount);

// Who reads what is not public; a host unit sees its own (checked where the data is).
constexpr RoleSet kReaders{
    Role::kHostUnit, Role::kFilingOfficer,  Role::kReviewer,          Role::kSecretary,
    Role::kDirector, Role::kPaymentOfficer, Role::kPaymentAuthorizer, Role::kAuditor,
    Role::kOperator};
// Who files, and reads the form's telephones in clear.
constexpr RoleSet kFilers{Role::kHostUnit, Role::kFilingOfficer};
// Who evaluates, debars, and reviews what hosts report: officers of the association.
constexpr RoleSet kEvaluators{Role::kFilingOfficer, Role::kReviewer};
// Who applies, and reads the form's account in clear.
constexpr RoleSet kApplicants{Role::kHostUnit};
// Who reads files and prints forms: they show telephones and accounts that nothing can mask.
constexpr RoleSet kFileReaders{Role::kHostUnit,       Role::kFilingOfficer,     Role::kReviewer,
                               Role::kSecretary,      Role::kDirector,          Role::kAuditor,
                               Role::kPaymentOfficer, Role::kPaymentAuthorizer};
// Who prepares and authorizes payments, and reads the payee's account in clear.
constexpr RoleSet kPayers{Role::kPaymentOfficer, Role::kPaymentAuthorizer, Role::kDirector};
// Who reads what the funds hold.
constexpr RoleSet kFundReaders{
    Role::kSecretary, Role::kDirector, Role::kPaymentOfficer, Role::kPaymentAuthorizer,
    Role::kAuditor,   Role::kOperator};
// Who sees cases, meetings and objections: the offices. Hosts follow their application.
constexpr RoleSet kReviewReaders{
    Role::kFilingOfficer, Role::kReviewer,       Role::kSecretary,
    Role::kDirector,      Role::kPaymentOfficer, Role::kPaymentAuthorizer,
    Role::kAuditor,       Role::kOperator};
// Whom a public notice is for.
constexpr RoleSet kEverybody{
    Role::kPublic,    Role::kHostUnit, Role::kFilingOfficer,  Role::kReviewer,
    Role::kSecretary, Role::kDirector, Role::kPaymentOfficer, Role::kPaymentAuthorizer,
    Role::kAuditor,   Role::kOperator};
// Who deals with objections, and with nobody else knows the objector.
constexpr RoleSet kObjectionOfficers{Role::kReviewer, Role::kSecretary};
// Who reads the evidence of a case: what an office looked at.
constexpr RoleSet kEvidenceReaders{Role::kFilingOfficer, Role::kReviewer, Role::kSecretary,
                                   Role::kDirector, Role::kAuditor};
// Who adds evidence: officers, and who objects to their own objection.
constexpr RoleSet kEvidenceWriters{Role::kPublic, Role::kHostUnit, Role::kReviewer,
                                   Role::kSecretary};
// Who may delegate acts in a case.
constexpr RoleSet kDelegators{Role::kReviewer, Role::kSecretary, Role::kDirector};
// Who looks after the journal.
constexpr RoleSet kWatchers{Role::kAuditor, Role::kOperator};

// Services follow one another's journals; what else one asks of another names it in its row.
constexpr PeerSet kEveryPeer{Peer::kRegistry, Peer::kApplication, Peer::kReview, Peer::kPayment};
// What a service is told in clear.
constexpr RoleSet kServices{Role::kService};
// Who is shown a printed form: a scan is compared with its digest by application too.
constexpr RoleSet kPrintReaders{Role::kHostUnit,       Role::kFilingOfficer,     Role::kReviewer,
                                Role::kSecretary,      Role::kDirector,          Role::kAuditor,
                                Role::kPaymentOfficer, Role::kPaymentAuthorizer, Role::kService};

// Method, who may call it, who of them reads personal values unmasked, and which services may call
// it. A service's rows stand together, in the order of its contract.
constexpr Permission kPermissions[] = {
    // journal: its feed, what proves it, and the followers' upkeep
    {"yuezhan.journal.v1.JournalService/ReadEntries", kWatchers, {}, kEveryPeer},
    {"yuezhan.journal.v1.JournalService/GetHead", kWatchers, {}},
    {"yuezhan.journal.v1.JournalService/VerifyJournal", kWatchers, {}},
    {"yuezhan.journal.v1.JournalService/ListFollowers", kWatchers, {}},
    {"yuezhan.journal.v1.JournalService/SkipEntry", {Role::kOperator}, {}},
    {"yuezhan.journal.v1.JournalService/ResumeFollower", {Role::kOperator}, {}},

    // registry: articles 1 to 6
    {"yuezhan.registry.v1.RegistryService/CreateHostUnit",
     {Role::kFilingOfficer},
     {Role::kFilingOfficer}},
    {"yuezhan.registry.v1.RegistryService/GetHostUnit", kReaders, kFilers},
    {"yuezhan.registry.v1.RegistryService/UpdateHostUnit",
     {Role::kFilingOfficer},
     {Role::kFilingOfficer}},
    {"yuezhan.registry.v1.RegistryService/ChangeAccount",
     {Role::kFilingOfficer},
     {Role::kFilingOfficer}},
    {"yuezhan.registry.v1.RegistryService/ListAccountChanges", kReaders, kFilers},
    {"yuezhan.registry.v1.RegistryService/ListHostUnits", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/CheckFiling",
     {Role::kHostUnit, Role::kFilingOfficer, Role::kAuditor},
     {}},
    {"yuezhan.registry.v1.RegistryService/FileStation", kFilers, kFilers},
    {"yuezhan.registry.v1.RegistryService/ResubmitFiling", kFilers, kFilers},
    {"yuezhan.registry.v1.RegistryService/ReturnFiling", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/RefuseFiling", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/GrantException", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/AcceptFiling", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/BatchAcceptFilings", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/SuspendStation", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/ResumeStation", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/CloseStation", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/CorrectStation", {Role::kFilingOfficer}, kFilers},
    {"yuezhan.registry.v1.RegistryService/GetStation", kReaders, kFilers},
    {"yuezhan.registry.v1.RegistryService/GetStationState", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/ListStationChanges", kReaders, kFilers},
    {"yuezhan.registry.v1.RegistryService/ListStations", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/RecordActivity", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/CorrectActivity", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/GetActivity", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/ListActivities", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/SumActivities", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/StartEvidence", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/WriteEvidence", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/GetEvidenceUpload",
     {Role::kHostUnit, Role::kFilingOfficer, Role::kAuditor},
     {}},
    {"yuezhan.registry.v1.RegistryService/FinishEvidence", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/ReadEvidence", kFileReaders, kFileReaders},
    {"yuezhan.registry.v1.RegistryService/ListEvidence", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/RecordEvaluation", kEvaluators, {}},
    {"yuezhan.registry.v1.RegistryService/NotifyEvaluation", kEvaluators, {}},
    {"yuezhan.registry.v1.RegistryService/RequestEvaluationReview", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/DecideEvaluationReview", kEvaluators, {}},
    {"yuezhan.registry.v1.RegistryService/SupersedeEvaluation", kEvaluators, {}},
    {"yuezhan.registry.v1.RegistryService/GetEvaluation", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/ListEvaluations", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/LiftDebarment", kEvaluators, {}},
    {"yuezhan.registry.v1.RegistryService/ListDebarments", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/SubmitUseReport", kFilers, {}},
    {"yuezhan.registry.v1.RegistryService/ReviewUseReport", kEvaluators, {}},
    {"yuezhan.registry.v1.RegistryService/GetUseReport", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/ListUseReports", kReaders, {}},
    {"yuezhan.registry.v1.RegistryService/ImportRows",
     {Role::kFilingOfficer},
     {Role::kFilingOfficer}},
    {"yuezhan.registry.v1.RegistryService/ExportRows",
     {Role::kFilingOfficer, Role::kAuditor},
     {Role::kFilingOfficer}},
    {"yuezhan.registry.v1.RegistryService/PrintDocument",
     kFileReaders,
     kPrintReaders,
     {Peer::kApplication}},
    {"yuezhan.registry.v1.RegistryService/GetStanding",
     {Role::kAuditor},
     kServices,
     {Peer::kApplication, Peer::kReview, Peer::kPayment}},
    {"yuezhan.registry.v1.RegistryService/BatchGetStandings",
     {Role::kAuditor},
     kServices,
     {Peer::kApplication, Peer::kReview, Peer::kPayment}},

    // application: articles 5 and 5.1
    {"yuezhan.application.v1.ApplicationService/CreateApplication", kApplicants, kApplicants},
    {"yuezhan.application.v1.ApplicationService/UpdateApplication", kApplicants, kApplicants},
    {"yuezhan.application.v1.ApplicationService/GetApplication", kReaders, kApplicants},
    {"yuezhan.application.v1.ApplicationService/ListApplications", kReaders, {}},
    {"yuezhan.application.v1.ApplicationService/CheckEligibility", kReaders, {}},
    {"yuezhan.application.v1.ApplicationService/SubmitApplication", kApplicants, kApplicants},
    {"yuezhan.application.v1.ApplicationService/WithdrawApplication", kApplicants, kApplicants},
    {"yuezhan.application.v1.ApplicationService/ConfirmScan",
     {Role::kFilingOfficer, Role::kReviewer},
     kFileReaders},
    {"yuezhan.application.v1.ApplicationService/BatchConfirmScans",
     {Role::kFilingOfficer, Role::kReviewer},
     kFileReaders},
    {"yuezhan.application.v1.ApplicationService/StartUpload", kApplicants, {}},
    {"yuezhan.application.v1.ApplicationService/WriteChunk", kApplicants, {}},
    {"yuezhan.application.v1.ApplicationService/GetUpload", {Role::kHostUnit, Role::kAuditor}, {}},
    {"yuezhan.application.v1.ApplicationService/FinishUpload", kApplicants, kFileReaders},
    {"yuezhan.application.v1.ApplicationService/UploadMaterial", kApplicants, kFileReaders},
    {"yuezhan.application.v1.ApplicationService/ReadChunk", kFileReaders, kFileReaders},
    {"yuezhan.application.v1.ApplicationService/ListMaterials", kReaders, kFileReaders},
    {"yuezhan.application.v1.ApplicationService/GetSubmission",
     kReaders,
     kServices,
     {Peer::kReview, Peer::kPayment}},
    {"yuezhan.application.v1.ApplicationService/BatchGetSubmissions",
     kReaders,
     kServices,
     {Peer::kReview, Peer::kPayment}},
    {"yuezhan.application.v1.ApplicationService/PrintDocument", kFileReaders, kFileReaders},

    // review: articles 5 to 5.4 and 7
    {"yuezhan.review.v1.ReviewService/GetCase", kReviewReaders, {}, {Peer::kApplication}},
    {"yuezhan.review.v1.ReviewService/ListCases", kReviewReaders, {}},
    {"yuezhan.review.v1.ReviewService/RecordAssessment", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/BatchRecordAssessments", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/CheckCase", {Role::kReviewer, Role::kAuditor}, {}},
    {"yuezhan.review.v1.ReviewService/BatchCheckCases", {Role::kReviewer, Role::kAuditor}, {}},
    {"yuezhan.review.v1.ReviewService/ListQueue", kReviewReaders, {}},
    {"yuezhan.review.v1.ReviewService/AssignCase", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/AskDepartment", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/RecordDepartmentOpinion", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/CallInspection", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/RecordDeclaration", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/RecordInspection", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/PrepareOpinion", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/BatchPrepareOpinions", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/ApproveOpinion", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/BatchApproveOpinions", {Role::kReviewer}, {}},
    {"yuezhan.review.v1.ReviewService/ConveneMeeting", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/CloseMeeting", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/GetMeeting", kReviewReaders, {}, {Peer::kApplication}},
    {"yuezhan.review.v1.ReviewService/IssueNotice", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/RecordPosting", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/RecordPostingDown", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/RecordPostingBack", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/WithdrawNotice", {Role::kSecretary}, {}},
    {"yuezhan.review.v1.ReviewService/GetNotice", kEverybody, {}, {Peer::kApplication}},
    {"yuezhan.review.v1.ReviewService/ListNotices", kEverybody, {}},
    {"yuezhan.review.v1.ReviewService/SignNoticeResult",
     {Role::kFilingOfficer, Role::kReviewer, Role::kSecretary, Role::kDirector},
     {}},
    {"yuezhan.review.v1.ReviewService/FileObjection",
     {Role::kPublic, Role::kHostUnit, Role::kReviewer, Role::kSecretary},
     kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/AdmitObjection", kObjectionOfficers, kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/ReportExamination", {Role::kReviewer}, kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/AnswerObjection", kObjectionOfficers, kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/GetObjection", kReviewReaders, kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/ListObjections", kReviewReaders, kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/ListObjectionQueue", kReviewReaders, kObjectionOfficers},
    {"yuezhan.review.v1.ReviewService/CreateDelegation", kDelegators, {}},
    {"yuezhan.review.v1.ReviewService/RevokeDelegation", kDelegators, {}},
    {"yuezhan.review.v1.ReviewService/ListDelegations", kReviewReaders, {}},
    {"yuezhan.review.v1.ReviewService/StartUpload", kEvidenceWriters, {}},
    {"yuezhan.review.v1.ReviewService/WriteChunk", kEvidenceWriters, {}},
    {"yuezhan.review.v1.ReviewService/FinishUpload", kEvidenceWriters, {}},
    {"yuezhan.review.v1.ReviewService/ReadChunk", kEvidenceReaders, {}},
    {"yuezhan.review.v1.ReviewService/ListFiles", kEvidenceReaders, {}},
    {"yuezhan.review.v1.ReviewService/PrintDocument", kEvidenceReaders, kEvidenceReaders},
    {"yuezhan.review.v1.ReviewService/GetCaseHistory", kReviewReaders, {}},
    {"yuezhan.review.v1.ReviewService/GetCaseEvidence", {Role::kAuditor}, {}},

    // payment: article 5.4
    {"yuezhan.payment.v1.PaymentService/CreateFund", {Role::kPaymentOfficer}, {}},
    {"yuezhan.payment.v1.PaymentService/AllocateFund", {Role::kPaymentOfficer}, {}},
    {"yuezhan.payment.v1.PaymentService/CarryOverFund", {Role::kPaymentOfficer}, {}},
    {"yuezhan.payment.v1.PaymentService/ListFundChanges", kFundReaders, {}},
    {"yuezhan.payment.v1.PaymentService/GetFund", kFundReaders, {}},
    {"yuezhan.payment.v1.PaymentService/ListFunds", kFundReaders, {}},
    {"yuezhan.payment.v1.PaymentService/GetTrialBalance", kFundReaders, {}},
    {"yuezhan.payment.v1.PaymentService/GetAward", kReaders, {}},
    {"yuezhan.payment.v1.PaymentService/ListAwards", kReaders, {}},
    {"yuezhan.payment.v1.PaymentService/PreparePayment", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/AuthorizePayment",
     {Role::kPaymentAuthorizer, Role::kDirector},
     kPayers},
    {"yuezhan.payment.v1.PaymentService/BatchPreparePayments", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/BatchAuthorizePayments",
     {Role::kPaymentAuthorizer, Role::kDirector},
     kPayers},
    {"yuezhan.payment.v1.PaymentService/RequestFinance", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/BatchRequestFinance", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/RecordFinanceAnswer",
     {Role::kPaymentOfficer, Role::kPaymentAuthorizer},
     kPayers},
    {"yuezhan.payment.v1.PaymentService/BatchRecordFinanceAnswers",
     {Role::kPaymentOfficer, Role::kPaymentAuthorizer},
     kPayers},
    {"yuezhan.payment.v1.PaymentService/StopPayment", kPayers, kPayers},
    {"yuezhan.payment.v1.PaymentService/ResendPayment",
     {Role::kPaymentAuthorizer, Role::kDirector},
     kPayers},
    {"yuezhan.payment.v1.PaymentService/RecordReceipt", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/BatchRecordReceipts", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/OrderRecovery", kPayers, kPayers},
    {"yuezhan.payment.v1.PaymentService/BookRecovery", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.PaymentService/ResolveIncident", kPayers, kPayers},
    {"yuezhan.payment.v1.PaymentService/GetPayment", kReaders, kPayers},
    {"yuezhan.payment.v1.PaymentService/BatchGetPayments", kReaders, kPayers},
    {"yuezhan.payment.v1.PaymentService/ListPayments", kReaders, {}},
    {"yuezhan.payment.v1.PaymentService/PrintDocument",
     {Role::kHostUnit, Role::kDirector, Role::kPaymentOfficer, Role::kPaymentAuthorizer,
      Role::kAuditor},
     {Role::kHostUnit, Role::kDirector, Role::kPaymentOfficer, Role::kPaymentAuthorizer}},
    {"yuezhan.payment.v1.ReconciliationService/ImportStatement", {Role::kPaymentOfficer}, {}},
    {"yuezhan.payment.v1.ReconciliationService/ListStatements", kFundReaders, {}},
    {"yuezhan.payment.v1.ReconciliationService/ListStatementLines", kFundReaders, kPayers},
    {"yuezhan.payment.v1.ReconciliationService/ConfirmMatch", {Role::kPaymentOfficer}, kPayers},
    {"yuezhan.payment.v1.ReconciliationService/ExplainUnmatched", {Role::kPaymentOfficer}, {}},
    {"yuezhan.payment.v1.ReconciliationService/GetHold", kFundReaders, {}},
    {"yuezhan.payment.v1.ReconciliationService/EndHold",
     {Role::kPaymentAuthorizer, Role::kDirector},
     {}},
    {"yuezhan.payment.v1.ReconciliationService/ExportOrders",
     {Role::kPaymentOfficer, Role::kPaymentAuthorizer, Role::kAuditor},
     kPayers},

    // bank: the payment service pays through it, an operator commands a simulated one
    {"yuezhan.bank.v1.BankService/ExecuteTransfer", {}, kServices, {Peer::kPayment}},
    {"yuezhan.bank.v1.BankService/GetTransfer",
     {Role::kAuditor, Role::kOperator},
     kServices,
     {Peer::kPayment}},
    {"yuezhan.bank.v1.BankService/ListTransfers",
     {Role::kAuditor, Role::kOperator},
     kServices,
     {Peer::kPayment}},
    {"yuezhan.bank.v1.SimulatorService/SetBehavior", {Role::kOperator}, {}},
    {"yuezhan.bank.v1.SimulatorService/GetStatement",
     {Role::kOperator, Role::kPaymentOfficer},
     {Role::kOperator, Role::kPaymentOfficer}},
};

constexpr std::string_view kPeerNames[] = {"registry", "application", "review", "payment"};

}  // namespace

std::optional<Peer> PeerFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kPeerNames); ++i) {
    if (kPeerNames[i] == name) return static_cast<Peer>(i);
  }
  return std::nullopt;
}

std::optional<Peer> PeerFromSubject(std::string_view subject) {
  constexpr std::string_view kPrefix = "service:";
  return subject.starts_with(kPrefix) ? PeerFromName(subject.substr(kPrefix.size()))
                                      : std::nullopt;
}

bool Permission::Admits(const Caller& caller) const {
  RoleSet persons = caller.roles;
  persons.bits &= ~RoleSet{Role::kService}.bits;
  if (persons.Intersects(roles)) return true;
  if (!caller.roles.Has(Role::kService)) return false;
  const std::optional<Peer> peer = PeerFromSubject(caller.subject);
  return peer && peers.Has(*peer);
}

absl::Span<const Permission> Permissions() { return kPermissions; }

const Permission* FindPermission(std::string_view method) {
  static const auto* const kByMethod = [] {
    auto* rows = new std::unordered_map<std::string_view, const Permission*>();
    for (const Permission& row : kPermissions) rows->emplace(row.method, &row);
    return rows;
  }();
  const auto row = kByMethod->find(method);
  return row == kByMethod->end() ? nullptr : row->second;
}

std::string_view RoleName(Role role) { return kRoleNames[static_cast<int>(role)]; }

std::optional<Role> RoleFromName(std::string_view name) {
  for (int i = 0; i < kRoleCount; ++i) {
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

}  // namespace yuezhan::auth
