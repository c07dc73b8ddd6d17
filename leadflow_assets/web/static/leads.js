// While leads are being made, the page looks again by itself; never while somebody is at work on it.
if (document.querySelector("[data-looks-again]")) {
  setInterval(() => {
    const idle = !document.activeElement || document.activeElement === document.body;
    if (idle && !document.querySelector("input[name=lead_id]:checked")) location.reload();
  }, 5000);
}
