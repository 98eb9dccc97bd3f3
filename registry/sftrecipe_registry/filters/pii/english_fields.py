"""English names in forms: behind the name of a field."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.english_name_forms import ONE
from sftrecipe_registry.filters.pii.name_likeness import whole_name
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText

_FIELD = (
    r"(?:(?:full|first|last|sur|family|given|patient|customer|client|employee|contact|emergency contact|guest|student|applicant|account|cardholder|card holder|user|sender|recipient|legal|passenger|tenant|member|insured|guardian|parent|child|doctor|physician|owner|candidate|billing|shipping|visitor|teacher|driver)?[ _'s]{0,3}name"
    r"|patient|pt|contact(?: person)?|attn|attention|from|cardholder|account holder|employee|customer|client|tenant|guest|student|applicant|insured|policyholder|emergency contact|next of kin|nok|physician|attending|referring physician|gp|surgeon|doctor|provider|author of note|signed(?: by)?|signature|donor|caller|passenger|traveller|traveler|owner|seller|buyer|witness|sender|recipient|deliver to|ship to|bill to|send to|payee|beneficiary|subscriber|member|landlord|lessee|lessor|borrower|lender|plaintiff|defendant|claimant|participant|interviewee|candidate|complainant|holder|spouse|mother|father|parent|guardian|visitor|host|surname|worker|holder|payable to|pay to|payee|inpatient|outpatient|resident|nurse|pupil|learner|volunteer|staff|reporter|operator|handler|assignee|requester|requestor|applicant name|submitted by|prepared by|approved by|reviewed by|reported by|booked by|taught by|supervisor|line manager|manager|agent|tutor|coach|keeper|executor|trustee|grantor|donor name|shipper|consignee|pickup by|collected by|chair|secretary|treasurer|attendee|attendees|present|absent|crew|pilot|godparent|bride|groom|deceased|informant|suspect|victim|accused|respondent|petitioner|appellant|employee name|lead|poc|user)"
)
_FIELD_ENDS = frozenset(
    [
        "name",
        "names",
        "surname",
        "patient",
        "pt",
        "contact",
        "person",
        "attn",
        "attention",
        "from",
        "cardholder",
        "holder",
        "employee",
        "customer",
        "client",
        "tenant",
        "guest",
        "student",
        "applicant",
        "insured",
        "policyholder",
        "kin",
        "nok",
        "physician",
        "attending",
        "gp",
        "surgeon",
        "doctor",
        "provider",
        "by",
        "signed",
        "signature",
        "donor",
        "caller",
        "passenger",
        "traveller",
        "traveler",
        "owner",
        "seller",
        "buyer",
        "witness",
        "sender",
        "recipient",
        "to",
        "payee",
        "beneficiary",
        "subscriber",
        "member",
        "landlord",
        "lessee",
        "lessor",
        "borrower",
        "lender",
        "plaintiff",
        "defendant",
        "claimant",
        "participant",
        "interviewee",
        "candidate",
        "complainant",
        "spouse",
        "mother",
        "father",
        "parent",
        "guardian",
        "visitor",
        "host",
        *[
            "worker",
            "inpatient",
            "outpatient",
            "resident",
            "nurse",
            "pupil",
            "learner",
            "volunteer",
            "staff",
            "reporter",
            "operator",
            "handler",
            "assignee",
            "requester",
            "requestor",
            "supervisor",
            "manager",
            "agent",
            "tutor",
            "coach",
            "keeper",
            "executor",
            "trustee",
            "grantor",
            "shipper",
            "consignee",
            "chair",
            "secretary",
            "treasurer",
            "attendee",
            "attendees",
            "present",
            "absent",
            "crew",
            "pilot",
            "bride",
            "groom",
            "deceased",
            "informant",
            "suspect",
            "victim",
            "accused",
            "respondent",
            "petitioner",
            "appellant",
            "lead",
            "poc",
            "user",
        ],
    ]
)
_CAPITALS = re.compile(
    r"(?i:surname|name|patient)[ :/]{1,3}(?P<name>[A-Z]{3,}(?:[ ,-]{1,2}[A-Z]{2,}){0,2})(?![a-z])(?= ?(?:[/,;|.]|$|\n))"
)
_FIELD_END = re.compile(
    rf"(?i:(?<![A-Za-z])(?:\*\*|[\"'{{])?{_FIELD})[\"'*]{{0,3}}[ \t]*[:=][\"'*“ \t]{{0,5}}$"
)
_VALUE = re.compile(r"[:=][\"'*“ \t]{0,5}(?=[A-Z])")


def of_fields(read: ReadText, told: bool, *, fiction: bool) -> Found:
    """`Patient: Jane Doe`, `"name": "Jane Doe"`."""
    if told:
        yield from (match.span("name") for match in _CAPITALS.finditer(read.text))
    for value in _VALUE.finditer(read.text):
        before = read.text[max(0, value.start() - 30) : value.start()].rstrip("\"'* \t")
        word = before[-14:].rpartition(" ")[2].rpartition("\n")[2].lower().lstrip("\"'{*(_,;|")
        if word.rpartition("_")[2] not in _FIELD_ENDS:
            continue
        field = _FIELD_END.search(read.text[max(0, value.start() - 30) : value.end()])
        name = ONE.match(read.text, value.end()) if field else None
        if not name or not field:
            continue
        is_name = told and "name" in field[0].lower()
        if not told and (field[0][0] in "\"'{" or fiction):
            continue
        if span := whole_name(
            read,
            *name.span(),
            need=2 if " " not in name[0] else 0.5 if told else 1,
            one=is_name,
        ):
            yield span
