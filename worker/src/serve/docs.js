"use strict";
const form = document.getElementById("form");
const answer = document.getElementById("answer");
const served = document.getElementById("served");
const key = document.getElementById("key");
const fields = [...form.querySelectorAll("[data-feature]")];
const endpoint = new URL("predict", location.href).href;
let busy = false, again = false;

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
};
const slider = (field) => field.parentElement.querySelector("[type=range]");
const row = () => Object.fromEntries(fields.map((field) => [
  field.dataset.feature,
  field.type === "checkbox" ? field.checked : field.value === "" ? null : field.type === "text" ? field.value : Number(field.value),
]));
const percent = (share) => (100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 2 : 1) + " %";

function showCommand() {
  const body = JSON.stringify(row()).replaceAll("'", "'\\''");
  const auth = key ? ' \\\n  -H "x-api-key: $API_KEY"' : "";
  document.getElementById("curl").textContent =
    `curl -X POST ${endpoint} \\\n  -H "content-type: application/json"${auth} \\\n  -d '${body}'`;
}

function showPrediction(prediction) {
  const shares = prediction.probabilities;
  if (!shares) {
    const shown = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });
    const [[name, value], ...others] = Object.entries(prediction);
    answer.replaceChildren(make("p", "result", shown(value)), make("p", "note", name));
    for (const [other, value] of others.slice(0, 12)) answer.append(make("p", "note", `${other} ${shown(value)}`));
    return;
  }
  const name = prediction[Object.keys(prediction).find((each) => each.endsWith("_name"))];
  const list = make("ul", "bars", "");
  const ranked = Object.entries(shares).sort((a, b) => b[1] - a[1]);
  for (const [label, share] of ranked.slice(0, 12)) {
    const item = make("li", label === name ? "best" : "", "");
    const head = make("div", "head", "");
    head.append(make("span", "", label), make("span", "", percent(share)));
    const track = make("div", "track", "");
    const fill = make("div", "fill", "");
    fill.style.width = 100 * share + "%";
    track.append(fill);
    item.append(head, track);
    list.append(item);
  }
  answer.replaceChildren(make("p", "result", name), list);
  if (ranked.length > 12) answer.append(make("p", "note", `and ${ranked.length - 12} less likely classes`));
}

function showProblems(problem) {
  answer.replaceChildren(make("p", "wrong", problem.error || "no answer"));
  for (const detail of problem.details || []) {
    const field = fields.find((each) => each.dataset.feature === detail.feature);
    const text = `${detail.feature ?? "the row"} ${detail.problem}`;
    if (field) {
      field.setAttribute("aria-invalid", "true");
      field.closest(".field").append(make("p", "wrong", text));
    } else {
      answer.append(make("p", "wrong", text));
    }
  }
}

async function predict() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const headers = { "content-type": "application/json" };
    if (key) headers["x-api-key"] = key.value;
    const start = performance.now();
    const response = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(row()) });
    const body = await response.json();
    const took = (performance.now() - start).toFixed(1);
    for (const old of form.querySelectorAll(".wrong")) old.remove();
    for (const field of fields) field.removeAttribute("aria-invalid");
    if (response.ok) showPrediction(body); else showProblems(body);
    served.textContent = `Answered by ${response.headers.get("x-mlpipeline-pod")} in ${took} ms`;
  } catch (error) {
    showProblems({ error: `the server did not answer: ${error.message}` });
    served.textContent = "";
  }
  busy = false;
  if (again) { again = false; predict(); }
}

form.addEventListener("submit", (event) => { event.preventDefault(); predict(); });
form.addEventListener("input", (event) => {
  const field = event.target;
  if (field.type === "range") field.parentElement.querySelector("[data-feature]").value = field.value;
  else if (field.dataset.feature && slider(field)) slider(field).value = field.value;
  showCommand();
  if (field !== key && (!key || key.value)) predict();
});
const copy = document.getElementById("copy");
if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("curl").textContent);
    copy.textContent = "Copied";
  });
}
showCommand();
