"""Somebody with a browser: keeps cookies, follows where it is led, fills in forms and sends them.

It runs no scripts and has no style, as some people's do not.
"""

import html.parser
import http.client
import http.cookies
import urllib.parse


class Form:
    """A form of a page, with what stands in its fields."""

    def __init__(self, action, method):
        self.action, self.method = action, method
        self.fields, self.buttons, self.labels = [], [], {}

    def value(self, name):
        return dict(self.fields).get(name)


class Page(html.parser.HTMLParser):
    """A page as it came: status, headers, and what can be read and done on it."""

    def __init__(self, url, status, headers, body):
        super().__init__()
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.forms, self.links, self.tags, self.words = [], {}, [], []
        self.title = ""
        self._form = self._link = self._select = self._area = None
        self._in_title = False
        if "html" in headers.get("content-type", ""):
            self.feed(body)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def form(self, action):
        """The one form that goes there."""
        found = [form for form in self.forms if form.action.split("?")[0] == action]
        assert len(found) == 1, (action, [form.action for form in self.forms], self.text)
        return found[0]

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        self.tags.append((tag, has))
        if tag == "title":
            self._in_title = True
        elif tag == "form":
            self._form = Form(has.get("action"), has.get("method", "get"))
            self.forms.append(self._form)
        elif tag == "a":
            self._link = (has.get("href"), [])
        elif tag == "select":
            self._select = [has.get("name"), None]
        elif tag == "option" and self._select:
            if self._select[1] is None or "selected" in has:
                self._select[1] = has.get("value", True)
        elif tag == "textarea":
            self._area = (has.get("name"), [])
        elif tag == "button" and self._form:
            self._form.buttons.append((has.get("name"), has.get("value")))
        elif tag == "input" and self._form:
            chosen = has.get("type") not in ("radio", "checkbox") or "checked" in has
            if chosen and "name" in has:
                self._form.fields.append((has["name"], has.get("value", "on")))

    def handle_endtag(self, tag):
        if tag == "title":
            self._in_title = False
        elif tag == "form":
            self._form = None
        elif tag == "a" and self._link:
            self.links[" ".join("".join(self._link[1]).split())] = self._link[0]
            self._link = None
        elif tag == "select" and self._select:
            if self._form:
                self._form.fields.append(tuple(self._select))
            self._select = None
        elif tag == "textarea" and self._area:
            # The line break behind the tag is none of the text's.
            self._form.fields.append((self._area[0], "".join(self._area[1]).removeprefix("\n")))
            self._area = None

    def handle_data(self, data):
        if self._in_title:
            self.title += data
        if self._area:
            self._area[1].append(data)
        if self._link:
            self._link[1].append(data)
        if self._select and self._select[1] is True and data.strip():
            self._select[1] = data.strip()
        self.words.append(data)


class Visitor:
    """Somebody at the console of a server."""

    def __init__(self, server, host=None, connect=None, headers=None, origin=None):
        self.server, self.host = server, host or server.api
        self.origin = origin or f"http://{self.host}"
        self.connect = connect or (lambda: http.client.HTTPConnection(server.api, timeout=30))
        self.cookies, self.headers = {}, headers or {}

    def request(self, method, path, body=None, **headers):
        """One request and its answer, as it is."""
        send = {"Host": self.host, "Accept": "text/html,*/*;q=0.8"} | self.headers
        if self.cookies:
            send["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            send |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": self.origin,
                "Sec-Fetch-Site": "same-origin",
            }
        send |= {name.replace("_", "-"): value for name, value in headers.items()}
        send = {name: value for name, value in send.items() if value is not None}
        connection = self.connect()
        connection.request(method, path, body, send)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        for line in response.headers.get_all("set-cookie") or []:
            for name, cookie in http.cookies.SimpleCookie(line).items():
                if cookie["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = cookie.value
        return Page(path, response.status, response.headers, text)

    def follow(self, page):
        """To where a page leads that is none."""
        for _ in range(5):
            if page.status not in (302, 303, 307, 308):
                return page
            page = self.request("GET", page.headers["location"])
        raise AssertionError(f"led in circles, at last to {page.url}")

    def get(self, path="/console/"):
        return self.follow(self.request("GET", path))

    def send(self, form, button=None, **typed):
        """Fills a form in and sends it; a field that is None is left out."""
        fields = [(name, value) for name, value in form.fields if name not in typed]
        fields += [(name, value) for name, value in typed.items() if value is not None]
        if button:
            fields.append(button)
        elif form.buttons and form.buttons[0][0]:
            fields.append(form.buttons[0])
        return self.follow(self.post(form.action, fields))

    def post(self, path, fields, **headers):
        return self.request("POST", path, urllib.parse.urlencode(fields), **headers)

    def sign_in(self, key, path="/console/"):
        """From a page that is not for everybody to that page."""
        form = self.get(path).form("/console/sign-in")
        return self.send(form, access_key_id=key.id, secret_access_key=key.secret)
