package api

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The pages that must work without the dashboard: set-up, login, and the
// record of one device.

//go:embed page
var pageFiles embed.FS

var (
	recordPage = template.Must(template.ParseFS(pageFiles, "page/record.html"))
	homePage   = template.Must(template.ParseFS(pageFiles, "page/home.html"))
	formPage   = template.Must(template.ParseFS(pageFiles, "page/form.html"))
)

// pageWords are what the pages say.
type pageWords struct {
	Title, Intro, Print, Erase, Ask, Busy, Erased, Failed, Done        string
	Clues, Clue, Value, Seen, Until                                    string
	Kind, Maker, Model, OS, Person, Addresses, MACs, First, Last, Host string
	Name, Password, Code, Login, LoginIntro, Setup, SetupIntro, Begin  string
	Device, Modes, Logout                                              string // Modes: of watching and of protecting, a bar between
	NewPassword, Wrong, Slow, Link, NeedCode                           string
}

var wordsEN = &pageWords{
	Title: "Everything stored about ", Intro: "This is all that Yamori keeps about this device, as it is stored. State of", Print: "Print",
	Erase: "Erase all of this", Ask: "Erase everything stored about this device? This cannot be undone.", Busy: "One moment…",
	Erased: "Everything stored about this device was erased. If it is still in your home, it will appear again as a new device.",
	Failed: "That did not work:", Done: "Done.",
	Clues: "Why we think it is what it is", Clue: "Clue", Value: "What was seen", Seen: "When", Until: "Forgotten by itself from",
	Kind: "Kind", Maker: "Maker", Model: "Model", OS: "System", Person: "Whose it is", Addresses: "Addresses", MACs: "Hardware addresses",
	First: "First seen", Last: "Last seen", Host: "Name it gives itself",
	Name: "Name", Password: "Password", NewPassword: "Password (at least 10 characters)", Code: "Code of your app, or a recovery code", Login: "Log in",
	LoginIntro: "Yamori guards this home.", Setup: "Set up Yamori", SetupIntro: "Choose your name and a password. There is no default password.", Begin: "Begin",
	Device: "Device", Modes: "Watching: what is found is told, nothing is blocked by itself.|Protecting: what is found is stopped.", Logout: "Log out",
	Wrong: "The name, the password or the code is wrong.", Slow: "Too many tries. Wait a moment, then try again.",
	Link: "This link has been used or is too old. Start yamori again for a new one.", NeedCode: "Enter the code of your app, too.",
}

var wordsJA = &pageWords{
	Title: "保存されているすべての情報：", Intro: "この機器について保存している情報は、以下がすべてです。時点：", Print: "印刷する",
	Erase: "すべて消去する", Ask: "この機器について保存している情報をすべて消去しますか？元に戻すことはできません。", Busy: "お待ちください…",
	Erased: "この機器の情報をすべて消去しました。機器が家の中に残っている場合は、新しい機器として再び表示されます。",
	Failed: "できませんでした：", Done: "完了しました。",
	Clues: "種類を判断した理由", Clue: "手がかり", Value: "見えたもの", Seen: "日時", Until: "自動的に消去される日時：",
	Kind: "種類", Maker: "メーカー", Model: "型番", OS: "システム", Person: "使う人", Addresses: "アドレス", MACs: "機器固有のアドレス",
	First: "最初に見えた日時", Last: "最後に見えた日時", Host: "機器が名乗る名前",
	Name: "お名前", Password: "パスワード", NewPassword: "パスワード（10 文字以上）", Code: "アプリのコード、または予備コード", Login: "ログイン",
	LoginIntro: "ヤモリがこの家を守っています。", Setup: "ヤモリを設定する", SetupIntro: "お名前とパスワードを決めてください。初期パスワードはありません。", Begin: "はじめる",
	Device: "機器", Modes: "見守りモード：見つかったことを知らせ、自動では遮断しません。|保護モード：見つかった脅威を遮断します。", Logout: "ログアウト",
	Wrong: "お名前、パスワード、またはコードが違います。", Slow: "試した回数が多すぎます。少し待ってからやり直してください。",
	Link: "このリンクは使用済みか、期限が切れています。ヤモリを起動し直すと新しいリンクが出ます。", NeedCode: "アプリのコードも入力してください。",
}

// langOf chooses English or Japanese by Accept-Language: the first that the
// browser names of the two.
func langOf(r *http.Request) string {
	h := r.Header.Get("Accept-Language")
	if len(h) > 256 {
		return "en"
	}
	for f := range strings.SplitSeq(h, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(f), ";")
		switch base, _, _ := strings.Cut(strings.ToLower(tag), "-"); base {
		case "en", "ja":
			return base
		}
	}
	return "en"
}

// html answers with a page. Its policy allows the page's own style and script
// and talk with this origin.
func (c *call) html(t *template.Template, data any, lang string) error {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language")
	return c.text("text/html; charset=utf-8", b.Bytes())
}

func wordsOf(lang string) *pageWords {
	if lang == "ja" {
		return wordsJA
	}
	return wordsEN
}

// word says what a code stands for; one without words stands for itself.
func (s *Server) word(lang, code string) string {
	if f := s.cfg.Explain; f != nil {
		if w := f(lang, code, nil); w != "" {
			return w
		}
	}
	return code
}

func pageRecord(c *call) error {
	rec, err := c.s.cfg.Backend.Records.Record(c.ctx(), c.id())
	if err != nil {
		return err
	}
	lang := langOf(c.r)
	w, d := wordsOf(lang), rec.Device
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(c.s.zone()).Format("2006-01-02 15:04 MST")
	}
	say := func(code string) string { return c.s.word(lang, code) }
	var macs []string
	for _, m := range d.MACs {
		macs = append(macs, m.Address)
	}
	var facts []Pair
	for _, f := range []Pair{{"ID", d.ID}, {w.Kind, say(d.Kind)}, {w.Maker, d.Maker}, {w.Model, d.Model}, {w.OS, d.OS}, {w.Person, d.Person}, {w.Host, d.Hostname},
		{w.MACs, strings.Join(macs, ", ")}, {w.Addresses, strings.Join(d.Addresses, ", ")}, {w.First, when(d.First)}, {w.Last, when(d.Last)}} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	name := d.Name
	if name == "" {
		name = d.ID
	}
	return c.html(recordPage, map[string]any{"Lang": lang, "W": w, "D": d, "Name": name, "Facts": facts, "Sections": rec.Sections,
		"Now": when(time.Now()), "Time": when, "Say": say, "URL": "/api/v1/devices/" + url.PathEscape(c.id())}, lang)
}

// deviceKinds are the kinds of devices that the page of the home has words for.
var deviceKinds = [...]string{"computer", "phone", "tablet", "router", "camera", "recorder", "nas", "tv", "console", "printer", "speaker", "hub",
	"plug", "light", "appliance", "wearable", "voip", "server", "unknown"}

// pageHome is where the forms lead: the devices, with a link to everything
// stored about each. What it shows it asks for itself; without a session it
// leads to the login.
func pageHome(c *call) error {
	lang := langOf(c.r)
	var kinds []string
	for _, k := range deviceKinds {
		kinds = append(kinds, k+"="+c.s.word(lang, k))
	}
	return c.html(homePage, map[string]any{"Lang": lang, "W": wordsOf(lang), "Kinds": strings.Join(kinds, "|")}, lang)
}

func pageLogin(c *call) error {
	lang := langOf(c.r)
	w := wordsOf(lang)
	return c.html(formPage, map[string]any{"Lang": lang, "W": w, "Password": w.Password, "Title": w.Login, "Intro": w.LoginIntro, "Button": w.Login, "URL": "/api/v1/session", "Fill": "current-password"}, lang)
}

func pageSetup(c *call) error {
	lang := langOf(c.r)
	w := wordsOf(lang)
	return c.html(formPage, map[string]any{"Lang": lang, "W": w, "Password": w.NewPassword, "Title": w.Setup, "Intro": w.SetupIntro, "Button": w.Begin, "URL": "/api/v1/setup", "Fill": "new-password"}, lang)
}

// assets are the files that the pages load.
var assets = map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}

func getAsset(c *call) error {
	typ, ok := assets[c.id()]
	if !ok {
		return ErrNotFound
	}
	b, err := pageFiles.ReadFile("page/" + c.id())
	if err != nil {
		return err
	}
	return c.text(typ, b)
}
