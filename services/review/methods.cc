#include "common/rpc/handlers.h"
#include "services/review/handlers.h"

namespace yuezhan::review {

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.review.v1.ReviewService", journal_.Joining());
  service.Add("GetCase", &Handlers::GetCase, this)
      .Add("ListCases", &Handlers::ListCases, this)
      .Add("ListQueue", &Handlers::ListQueue, this)
      .Add("AssignCase", &Handlers::AssignCase, this)
      .Add("CheckCase", &Handlers::CheckCase, this)
      .AddBatch<v1::BatchCheckCasesRequest, v1::BatchCheckCasesResponse>("BatchCheckCases")
      .AddJoined("RecordAssessment", &Handlers::RecordAssessment, this, &Handlers::LockAhead)
      .AddBatch<v1::BatchRecordAssessmentsRequest, v1::BatchRecordAssessmentsResponse>(
          "BatchRecordAssessments")
      .Add("AskDepartment", &Handlers::AskDepartment, this)
      .Add("RecordDepartmentOpinion", &Handlers::RecordDepartmentOpinion, this)
      .Add("CallInspection", &Handlers::CallInspection, this)
      .Add("RecordDeclaration", &Handlers::RecordDeclaration, this)
      .Add("RecordInspection", &Handlers::RecordInspection, this)
      .Add("PrepareOpinion", &Handlers::PrepareOpinion, this)
      .AddBatch<v1::BatchPrepareOpinionsRequest, v1::BatchPrepareOpinionsResponse>(
          "BatchPrepareOpinions")
      .Add("ApproveOpinion", &Handlers::ApproveOpinion, this)
      .AddBatch<v1::BatchApproveOpinionsRequest, v1::BatchApproveOpinionsResponse>(
          "BatchApproveOpinions")
      .Add("ConveneMeeting", &Handlers::ConveneMeeting, this)
      .Add("CloseMeeting", &Handlers::CloseMeeting, this)
      .Add("GetMeeting", &Handlers::GetMeeting, this)
      .Add("IssueNotice", &Handlers::IssueNotice, this)
      .Add("RecordPosting", &Handlers::RecordPosting, this)
      .Add("RecordPostingDown", &Handlers::RecordPostingDown, this)
      .Add("RecordPostingBack", &Handlers::RecordPostingBack, this)
      .Add("WithdrawNotice", &Handlers::WithdrawNotice, this)
      .Add("GetNotice", &Handlers::GetNotice, this)
      .Add("ListNotices", &Handlers::ListNotices, this)
      .Add("SignNoticeResult", &Handlers::SignNoticeResult, this)
      .Add("FileObjection", &Handlers::FileObjection, this)
      .Add("AdmitObjection", &Handlers::AdmitObjection, this)
      .Add("ReportExamination", &Handlers::ReportExamination, this)
      .Add("AnswerObjection", &Handlers::AnswerObjection, this)
      .Add("GetObjection", &Handlers::GetObjection, this)
      .Add("ListObjections", &Handlers::ListObjections, this)
      .Add("ListObjectionQueue", &Handlers::ListObjectionQueue, this)
      .Add("CreateDelegation", &Handlers::CreateDelegation, this)
      .Add("RevokeDelegation", &Handlers::RevokeDelegation, this)
      .Add("ListDelegations", &Handlers::ListDelegations, this)
      .Add("StartUpload", &Handlers::StartUpload, this)
      .Add("WriteChunk", &Handlers::WriteChunk, this)
      .Add("FinishUpload", &Handlers::FinishUpload, this)
      .Add("ReadChunk", &Handlers::ReadChunk, this)
      .Add("ListFiles", &Handlers::ListFiles, this)
      .Add("PrintDocument", &Handlers::PrintDocument, this)
      .Add("GetCaseHistory", &Handlers::GetCaseHistory, this)
      .Add("GetCaseEvidence", &Handlers::GetCaseEvidence, this);
  return service;
}

}  // namespace yuezhan::review
