//! A tab with the website's page, and the hands of the person in front of it.

use hybridge_radio_conformance::table::Failure;
use serde_json::{Value, json};

use super::bidi::{Session, member};

/// How often the page is looked at, every 50 ms, before it is given up.
const LOOKS: u32 = 2000;

/// A tab. It is found in by what a person sees: the names of buttons and fields, and texts.
pub(crate) struct Page {
    session: Session,
    /// The tab's name in commands.
    context: Value,
}

impl Page {
    /// Opens a page in a tab of its own: in the first one the address has the focus, and websites may not ask for
    /// passkeys.
    pub(crate) async fn open(mut session: Session, url: &str) -> Result<Self, Failure> {
        let tab = session.command("browsingContext.create", json!({ "type": "tab" })).await?;
        let mut page = Self { session, context: member(&tab, "context").clone() };
        page.command("browsingContext.navigate", json!({ "url": url, "wait": "complete" })).await?;
        Ok(page)
    }

    /// A command about this tab.
    async fn command(&mut self, method: &'static str, mut params: Value) -> Result<Value, Failure> {
        if let Some(members) = params.as_object_mut() {
            members.insert("context".to_owned(), self.context.clone());
        }
        self.session.command(method, params).await
    }

    /// Presses a button with the mouse.
    pub(crate) async fn press(&mut self, name: &str) -> Result<(), Failure> {
        self.click("button", name).await
    }

    /// Replaces what is in a field with what is typed.
    pub(crate) async fn fill(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        self.click("textbox", name).await?;
        let select_all = ["\u{E009}", "a"].map(key_down).into_iter().chain(["a", "\u{E009}"].map(key_up));
        let mut keys: Vec<Value> = select_all.chain(["\u{E017}"].map(key_down)).collect();
        keys.push(key_up("\u{E017}"));
        for letter in text.chars().map(String::from) {
            keys.extend([key_down(&letter), key_up(&letter)]);
        }
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": keys }]);
        self.command("input.performActions", json!({ "actions": actions })).await.map(drop)
    }

    /// What is clicked on has to be in sight.
    async fn scroll_to(&mut self, node: &Value) -> Result<(), Failure> {
        let scroll = "(node) => node.scrollIntoView({ block: 'center', behavior: 'instant' })";
        let call = json!({
            "functionDeclaration": scroll,
            "awaitPromise": false,
            "target": { "context": self.context },
            "arguments": [{ "sharedId": member(node, "sharedId") }],
        });
        self.session.command("script.callFunction", call).await.map(drop)
    }

    /// Clicks on the middle of the one thing with this role and name.
    async fn click(&mut self, role: &'static str, name: &str) -> Result<(), Failure> {
        let locator = json!({ "type": "accessibility", "value": { "role": role, "name": name } });
        let found = self.command("browsingContext.locateNodes", json!({ "locator": locator })).await?;
        let nodes = member(&found, "nodes").as_array().map(Vec::as_slice).unwrap_or_default();
        let [node] = nodes else {
            return Err(Failure::unexpected("one thing of this role and name", (role, name, nodes)));
        };
        self.scroll_to(node).await?;
        let element = json!({ "type": "element", "element": { "sharedId": member(node, "sharedId") } });
        let actions = json!([{ "type": "pointer", "id": "mouse", "actions": [
            { "type": "pointerMove", "x": 0, "y": 0, "origin": element },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]}]);
        self.command("input.performActions", json!({ "actions": actions })).await.map(drop)
    }

    /// Waits until the page is done, says this, and shows who is signed in, if anybody. If it does not, what it says in
    /// the end is in the error.
    pub(crate) async fn says(&mut self, text: &'static str, who: &str) -> Result<(), Failure> {
        let expected = json!(["false", text, who]).to_string();
        let script = format!(
            "new Promise((done) => {{ let left = {LOOKS}; const look = () => {{ \
                const found = JSON.stringify([ \
                    document.querySelector('main').getAttribute('aria-busy'), \
                    document.querySelector('[role=status]').textContent, \
                    document.getElementById('user').textContent]); \
                left -= 1; \
                if (found === {quoted} || left === 0) done(found); else setTimeout(look, 50); \
            }}; look(); }})",
            quoted = json!(expected),
        );
        let found = self.evaluate(&script).await?;
        if found == expected { Ok(()) } else { Err(Failure::unexpected(text, found)) }
    }

    /// Runs a script as if the person had clicked, and gives the text that it or its promise gives.
    pub(crate) async fn evaluate(&mut self, script: &str) -> Result<String, Failure> {
        let target = json!({ "context": self.context });
        let params = json!({
            "expression": script, "target": target, "awaitPromise": true, "userActivation": true,
        });
        let evaluated = self.session.command("script.evaluate", params).await?;
        let text = member(member(&evaluated, "result"), "value").as_str().map(str::to_owned);
        text.ok_or_else(|| Failure::unexpected("a text from a script", evaluated))
    }
}

fn key_down(key: &str) -> Value {
    json!({ "type": "keyDown", "value": key })
}

fn key_up(key: &str) -> Value {
    json!({ "type": "keyUp", "value": key })
}
