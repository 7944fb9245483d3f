"""Renders chat_templates/*.jinja with the environment that transformers uses and writes chat_renderings.json.

    python tests/reference/text/make_chat_renderings.py        (needs transformers >= 5 and jinja2)

The templates are short forms of those that models ship; pythonisms.jinja collects what is Python rather than Jinja.
"""

import json
from pathlib import Path

import jinja2
from transformers.utils.chat_template_utils import _compile_jinja_template

HERE = Path(__file__).parent

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

SYSTEM = {"role": "system", "content": "You are terse."}
USER = {"role": "user", "content": "What is 2 + 2?"}
ANSWER = {"role": "assistant", "content": "4"}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Today's weather <b>&</b> more",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                         "required": ["city"]}}}]
CALL = {"role": "assistant", "content": "", "tool_calls": [
    {"id": "abc123def", "type": "function", "function": {"name": "weather", "arguments": {"city": "Zürich", "days": 2}}}]}

CONVERSATIONS = {
    "user": dict(messages=[USER], add_generation_prompt=True),
    "system_user": dict(messages=[SYSTEM, USER], add_generation_prompt=True),
    "answered": dict(messages=[USER, ANSWER], add_generation_prompt=False),
    "several_turns": dict(messages=[SYSTEM, USER, ANSWER, {"role": "user", "content": "  And 3 + 3? \n"},
                                    {"role": "assistant", "content": "\n 6 "}, {"role": "user", "content": "Thanks"}],
                          add_generation_prompt=True),
    "unicode": dict(messages=[{"role": "user", "content": "¿Qué? 你好 👩‍👩‍👧 \"quoted\" \\ back\nnew\n\nline"}], add_generation_prompt=True),
    "wrong_order": dict(messages=[USER, USER, ANSWER], add_generation_prompt=True),
    "empty_content": dict(messages=[{"role": "user", "content": ""}], add_generation_prompt=True),
    "code": dict(messages=[{"role": "user", "content": "{{ messages }} {% if %} {# no #} <|im_end|>"}], add_generation_prompt=False),
    "thinking": dict(messages=[USER, {"role": "assistant", "content": "<think>\nadd them\n</think>\n\n4"}, {"role": "user", "content": "Sure?"}],
                     add_generation_prompt=True),
    "reasoning_key": dict(messages=[USER, {"role": "assistant", "content": "4", "reasoning_content": "add"}], add_generation_prompt=False),
    "no_thinking": dict(messages=[USER], add_generation_prompt=True, enable_thinking=False),
    "tools": dict(messages=[USER], tools=TOOLS, add_generation_prompt=True),
    "tool_call": dict(messages=[SYSTEM, USER, CALL, {"role": "tool", "content": "{\"sun\": true}", "tool_call_id": "abc123def"},
                                {"role": "assistant", "content": "Sunny."}], tools=TOOLS, add_generation_prompt=False),
}
LLAMA31 = {"date_string": "01 Jan 2026"}


def render(name, source, conversation):
    variables = {"tools": None, "documents": None, **TOKENS, **(LLAMA31 if name == "llama31" else {}), **conversation}
    case = {"template": name, "variables": json.dumps(variables, ensure_ascii=False)}
    try:
        return {**case, "text": _compile_jinja_template(source).render(**variables)}
    except jinja2.exceptions.TemplateError as error:
        return {**case, "error": str(error)}
    except TypeError as error:
        return {**case, "error": str(error)}


cases = []
for path in sorted((HERE / "chat_templates").glob("*.jinja")):
    source = path.read_text(encoding="utf-8")
    for title, conversation in CONVERSATIONS.items():
        cases.append({"case": title, **render(path.stem, source, conversation)})
(HERE / "chat_renderings.json").write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n", encoding="utf-8")
print(len(cases), "renderings,", sum("error" in case for case in cases), "refusals")
for case in cases:
    if "error" in case:
        print(case["template"], case["case"], case["error"])
