import { text } from "./text.js";

const show = () => { document.getElementById("text").textContent = text; };

show();
module.hot.accept("./text.js", show);
