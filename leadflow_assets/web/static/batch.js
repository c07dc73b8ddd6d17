// A batch while it runs: asks every two seconds how far it is, until nobody works at it any more.
import { ask } from "page";

const EVERY = 2000;
const box = document.getElementById("progress");
const said = document.getElementById("said");
const count = (value) => value.toLocaleString("en-US");
const dollars = (cents) => `$${(cents / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 })}`;

function show(state) {
  document.getElementById("bar").value = state.answered;
  document.getElementById("bar").max = Math.max(state.total, 1);
  document.getElementById("answered").textContent = count(state.answered);
  document.getElementById("total").textContent = count(state.total);
  document.getElementById("spent").textContent = dollars(state.spent);
  for (const cell of document.querySelectorAll("[data-count]")) cell.textContent = count(state.outcomes[cell.dataset.count]);
  // Screen readers speak this line: only what is new is said, and every tenth of the way.
  const tenth = Math.floor((state.answered * 10) / Math.max(state.total, 1)) * 10;
  const text = `Working: ${state.status.replaceAll("_", " ")}, ${tenth}% answered. This page may be closed; nothing is lost.`;
  if (said.textContent !== text) said.textContent = text;
}

async function look() {
  let state;
  try {
    state = await ask(box.dataset.path);
  } catch (problem) {
    said.textContent = problem.message;
    setTimeout(look, EVERY * 5);
    return;
  }
  if (state.gone) {
    // Its files were withdrawn, and the batch with them.
    location.assign("/batches");
  } else if (state.working) {
    show(state);
    setTimeout(look, EVERY);
  } else {
    // Results, errors and buttons are the server's to say.
    location.reload();
  }
}

if ("working" in box.dataset) setTimeout(look, EVERY);
