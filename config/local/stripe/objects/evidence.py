"""Answering a dispute through the API: staging evidence, submitting it, or accepting the loss.

As in Stripe's test mode, `uncategorized_text` of `winning_evidence` or `losing_evidence` decides at once.
"""

from config.local.stripe.errors import InvalidParameter, ResourceMissing, StripeError
from config.local.stripe.objects import disputes
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

LONGEST_TEXT = 20_000
LONGEST_ALL = 150_000
METHODS = ("manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes")
VERDICTS = {"winning_evidence": ("won", "warning_closed"), "losing_evidence": ("lost", "needs_response")}


def update(work: Work, id: str, params: Params) -> Json:
    """POST /v1/disputes/{id}: metadata, evidence, and unless `submit` is false the evidence goes to the bank."""
    dispute = work.get("dispute", id, param="dispute")
    evidence = _read_evidence(params.section("evidence"))
    submit = params.flag("submit")
    fields: Json = {"metadata": params.metadata(dispute["metadata"])}
    method = params.text("intended_submission_method", choices=METHODS)
    params.finish()
    if method is not None:
        fields["intended_submission_method"] = method
    if evidence or submit is not None:
        fields |= _staged(dispute, evidence)
    before = work.change(dispute, **fields)
    if before:
        emit(work, "charge.dispute.updated", dispute, before)
    if submit or (evidence and submit is None):
        _submit(work, dispute)
    return dispute


def _read_evidence(section: Params) -> Json:
    evidence: Json = {}
    for name in disputes.TEXTS:
        if (text := section.text(name, limit=LONGEST_TEXT)) is not None:
            evidence[name] = text
    for name in disputes.FILES:
        if (file := section.text(name)) is not None:
            # The double keeps no files, so none of them can be known to it.
            raise ResourceMissing("file", file, param=section.full_name(name))
    card = section.section("appeal").section("card")
    if (reason := card.text("reason_for_filing", limit=LONGEST_TEXT)) is not None:
        evidence["appeal"] = {"card": {"reason_for_filing": reason, "supporting_files": None}}
    if sum(len(str(value)) for value in evidence.values()) > LONGEST_ALL:
        raise InvalidParameter(f"The evidence can have up to {LONGEST_ALL} characters in all.", param="evidence")
    return evidence


def _staged(dispute: Json, evidence: Json) -> Json:
    _require_answerable(dispute)
    merged = {**dispute["evidence"], **evidence}
    details = {**dispute["evidence_details"], "has_evidence": any(merged.values())}
    return {"evidence": merged, "evidence_details": details}


def _require_answerable(dispute: Json) -> None:
    if dispute["status"] not in disputes.SUBMITTED:
        raise StripeError(f"This dispute is {dispute['status']}: evidence is no longer taken.", param="evidence")


def _submit(work: Work, dispute: Json) -> None:
    details = dispute["evidence_details"]
    if not details["has_evidence"]:
        raise StripeError("There is no evidence to submit.", param="evidence")
    late = details["due_by"] < work.now
    submitted = {
        **details,
        "past_due": late,
        "submission_count": details["submission_count"] + 1,
        "submission_method": "manual",
    }
    work.change(dispute, evidence_details=submitted)
    disputes.move(work, dispute, disputes.SUBMITTED[dispute["status"]])
    _decide_as_in_test_mode(work, dispute)


def _decide_as_in_test_mode(work: Work, dispute: Json) -> None:
    verdicts = VERDICTS.get(dispute["evidence"]["uncategorized_text"])
    if verdicts is not None:
        disputes.move(work, dispute, verdicts[dispute["status"] in disputes.INQUIRIES])


def close(work: Work, id: str, params: Params) -> Json:
    """POST /v1/disputes/{id}/close: the loss is accepted. Refuses what does not wait for an answer."""
    dispute = work.get("dispute", id, param="dispute")
    params.finish()
    if dispute["status"] not in disputes.SUBMITTED:
        raise StripeError(f"This dispute is {dispute['status']} and cannot be closed.")
    inquiry = dispute["status"] in disputes.INQUIRIES
    disputes.move(work, dispute, "warning_closed" if inquiry else "lost")
    return dispute
