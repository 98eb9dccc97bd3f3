"""Why rows are rejected by the engine itself, in English."""

REASONS = {
    "missing_column": {
        "meaning": "the row has not all the columns that its source names",
        "remedy": "name the columns that it has by the source's map, or mend the file",
    },
    "wrong_type": {
        "meaning": "a column holds something else than a text or turns",
        "remedy": "mend the column, or name another one by the source's map",
    },
    "bad_history": {
        "meaning": "history is not a list of pairs of texts",
        "remedy": "write it as [[question, answer], …]",
    },
    "bad_messages": {
        "meaning": "the turns are not a list of objects with a role and a content",
        "remedy": "write them as [{{role: user, content: …}}, …]",
    },
    "bad_role": {
        "meaning": "a turn has a role that nobody knows",
        "remedy": "rename it to system, user, assistant or tool in the file",
    },
    "roles_alternate": {
        "meaning": "turns of the same side follow one another",
        "remedy": "join such turns in the file",
    },
    "late_system": {
        "meaning": "a system turn stands behind other turns",
        "remedy": "move it to the beginning in the file",
    },
    "not_a_pair": {
        "meaning": "chosen and rejected are not two answers to the same turns",
        "remedy": "give both the same turns before the answer",
    },
    "unread_part": {
        "meaning": "a turn has a part that sftrecipe does not read",
        "remedy": "name it in the source's leave_out to go on without it",
    },
    "bad_tool_call": {
        "meaning": "a call of a tool has arguments that are no JSON object",
    },
    "tool_results": {
        "meaning": "the results of tools do not match the calls before them",
        "remedy": "give every call its result, in the calls' order",
    },
    "media_count": {
        "meaning": "the placeholders in the text are not as many as the media",
        "remedy": "write one placeholder a medium",
    },
    "bad_media": {
        "meaning": "media are not a list of paths",
        "remedy": "write them as [path, …]",
    },
    "open_thought": {
        "meaning": "a thought was not closed, so that nothing is known to be the answer",
        "remedy": "raise max_tokens, or have the model think less (thinking, reasoning_effort)",
    },
    "cut_off": {
        "meaning": "the reply ended before it was whole",
        "remedy": "raise max_tokens",
    },
    "empty_answer": {
        "meaning": "the model answered with nothing",
        "remedy": "where a thought took it all, raise max_tokens; see too that stop does not begin the answer",
    },
    "tool_call": {
        "meaning": "the reply calls tools, or the turn is a tool's, where a text is needed",
        "remedy": "take tools out of the rows, or let respond answer them",
    },
    "no_tools": {
        "meaning": "the row has tools, and the provider takes none",
        "remedy": "name a provider that takes tools",
    },
    "prompt_failed": {
        "meaning": "the prompt cannot be filled with the row",
        "remedy": "use columns that every row has, or give a default: {{{{ column | default('') }}}}",
    },
    "call_failed": {
        "meaning": "the call failed for good, so that no reply came",
        "remedy": "see why with sftrecipe doctor, then run again with --retry-failed",
    },
    "context_too_long": {
        "meaning": "the request does not fit into the model's context",
        "remedy": "shorten the rows (filter length, generator chunk), or name a model with a longer context",
    },
    "request_too_large": {
        "meaning": "the request is larger than the server takes",
        "remedy": "shorten the rows (filter length, generator chunk)",
    },
    "unreadable_reply": {
        "meaning": "a reply came, and it cannot be read",
        "remedy": "see it in the ledger, then run again with --retry-failed",
    },
    "refused": {
        "meaning": "the provider refused to answer this content",
    },
    "nothing_made": {
        "meaning": "the step made nothing of the row",
    },
    "not_drawn": {
        "meaning": "the mix has enough rows without it",
        "remedy": "raise the mix's total, or the stream's weight",
    },
}
"""Reasons of the engine to reject a row: what each means, and what to change."""
