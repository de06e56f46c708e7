package api

import (
	"bytes"
	"embed"
	"encoding/json"
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

	problemPage = template.Must(template.ParseFS(pageFiles, "page/problem.html"))
)

// pageWords are what the pages say.
type pageWords struct {
	Title, Intro, Print, Erase, Ask, Busy, Erased, Failed, Done        string
	Clues, Clue, Value, Seen, Until                                    string
	Kind, Maker, Model, OS, Person, Addresses, MACs, First, Last, Host string
	Name, Password, Code, Login, LoginIntro, Setup, SetupIntro, Begin  string
	Device, Modes, Logout                                              string // Modes: of watching and of protecting, a bar between
	NewPassword, Wrong, Slow, Link, NeedCode, BadPassword, BadName     string
	Found, NoneFound, MoreFound, Details, Stored, Home                 string // MoreFound: %d
	NoPage, NotAllowed, Devices, NoDevices                             string
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
	Link: "This link has been used or is too old. As long as nobody can log in, each start of yamori prints a new one.", NeedCode: "Enter the code of your app, too.",
	BadPassword: "Choose another password: this one is too short, too long or too well known.",
	BadName:     "Choose another name: up to 32 letters, digits, dots, dashes, underscores or single spaces.",
	Found:       "Found lately", NoneFound: "Nothing new was found.", MoreFound: "and %d more (yamori events lists them)",
	Details: "How we know, and what to do: yamori events show", Stored: "As it is stored", Home: "To the list of devices",
	NoPage: "There is no such page, or no longer.", NotAllowed: "Only an owner may see this.",
	Devices: "Devices of the home", NoDevices: "No device was seen yet.",
}

var wordsJA = &pageWords{
	Title: "保存されているすべての情報：", Intro: "この機器について保存している情報は、以下がすべてです。時点：", Print: "印刷する",
	Erase: "すべて消去する", Ask: "この機器について保存している情報をすべて消去しますか？元に戻すことはできません。", Busy: "お待ちください…",
	Erased: "この機器の情報をすべて消去しました。機器が家の中に残っている場合は、新しい機器として再び表示されます。",
	Failed: "できませんでした：", Done: "完了しました。",
	Clues: "種類を判断した理由", Clue: "手がかり", Value: "見えたもの", Seen: "日時", Until: "自動的に消去される日時：",
	Kind: "種類", Maker: "メーカー", Model: "型番", OS: "システム", Person: "使う人", Addresses: "アドレス", MACs: "MAC アドレス",
	First: "最初に見えた日時", Last: "最後に見えた日時", Host: "機器が名乗る名前",
	Name: "お名前", Password: "パスワード", NewPassword: "パスワード（10 文字以上）", Code: "アプリのコード、または予備コード", Login: "ログイン",
	LoginIntro: "ヤモリがこの家を守っています。", Setup: "ヤモリを設定する", SetupIntro: "お名前とパスワードを決めてください。初期パスワードはありません。", Begin: "はじめる",
	Device: "機器", Modes: "見守りモード：見つかったことを知らせ、自動では遮断しません。|保護モード：見つかった脅威を遮断します。", Logout: "ログアウト",
	Wrong: "お名前、パスワード、またはコードが違います。", Slow: "試した回数が多すぎます。少し待ってからやり直してください。",
	Link: "このリンクは使用済みか、期限が切れています。ログインできる人がいない間は、ヤモリを起動し直すと新しいリンクが出ます。", NeedCode: "アプリのコードも入力してください。",
	BadPassword: "このパスワードは短すぎるか、長すぎるか、よく使われるものです。別のパスワードにしてください。",
	BadName:     "別のお名前にしてください。使えるのは文字、数字、点、ハイフン、下線、空白で、32 文字までです。",
	Found:       "最近見つかったこと", NoneFound: "新しく見つかったことはありません。", MoreFound: "ほかに %d 件（yamori events で一覧できます）",
	Details: "根拠と対処の確認：yamori events show", Stored: "保存されているままの形", Home: "機器の一覧へ",
	NoPage: "このページはありません。", NotAllowed: "この画面を見られるのは管理者だけです。",
	Devices: "家の中の機器", NoDevices: "機器はまだ見つかっていません。",
}

// lang is the language of a page: the one that the owner chose for all, else
// the browser's.
func (s *Server) lang(r *http.Request) string {
	if b := s.cfg.Backend.Choices; b != nil {
		if v, err := b.Settings(r.Context()); err == nil && (v.Language == "en" || v.Language == "ja") {
			return v.Language
		}
	}
	return langOf(r)
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
	pageHeaders(c.w.Header(), lang)
	return c.text("text/html; charset=utf-8", b.Bytes())
}

func pageHeaders(h http.Header, lang string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language")
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
	lang := c.s.lang(c.r)
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
		"Now": when(time.Now()), "Time": when, "Say": say, "Pretty": pretty, "URL": "/api/v1/devices/" + url.PathEscape(c.id())}, lang)
}

// pretty writes a stored record over several lines; what is no JSON stays.
func pretty(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}

// deviceKinds are the kinds of devices that the page of the home has words for.
var deviceKinds = [...]string{"computer", "phone", "tablet", "router", "camera", "recorder", "nas", "tv", "console", "printer", "speaker", "hub",
	"plug", "light", "appliance", "wearable", "voip", "server", "unknown"}

// findingWords are the codes of findings that the page of the home has words
// for.
var findingWords = [...]string{"category.mining", "category.botnet", "category.exploit", "category.malware", "category.ransomware", "category.scan",
	"category.bruteforce", "category.flood", "category.webthreat", "category.dns", "category.tunnel", "category.policy", "category.anomaly",
	"verdict.suspect", "verdict.likely", "verdict.confirmed", "action.blocked", "action.allowed", "action.would_block"}

// pageHome is where the forms lead: what was found lately, and the devices,
// with a link to everything stored about each. What it shows it asks for
// itself; without a session it leads to the login.
func pageHome(c *call) error {
	lang := c.s.lang(c.r)
	table := func(codes []string) string {
		var out []string
		for _, k := range codes {
			out = append(out, k+"="+c.s.word(lang, k))
		}
		return strings.Join(out, "|")
	}
	zone := c.s.zone().String()
	if zone == "Local" { // the browser's, then
		zone = ""
	}
	return c.html(homePage, map[string]any{"Lang": lang, "W": wordsOf(lang), "Zone": zone, "Kinds": table(deviceKinds[:]), "Words": table(findingWords[:])}, lang)
}

// wantsPage reports whether a browser goes to a page, rather than a program
// asks.
func wantsPage(r *http.Request) bool {
	return r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/assets/") &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

// pageProblem tells a person what programs are told by problem details: who
// is not logged in is led there. It reports whether it answered.
func (s *Server) pageProblem(w http.ResponseWriter, r *http.Request, f *fault) bool {
	lang := s.lang(r)
	words := wordsOf(lang)
	text := map[string]string{"not-found": words.NoPage, "role": words.NotAllowed}[f.code]
	switch {
	case !wantsPage(r):
		return false
	case f.code == "login":
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return true
	case text == "":
		return false
	}
	pageHeaders(w.Header(), lang)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.status)
	_ = problemPage.Execute(w, map[string]any{"Lang": lang, "W": words, "Text": text}) // the client may be gone
	return true
}

func pageLogin(c *call) error {
	lang := c.s.lang(c.r)
	w := wordsOf(lang)
	return c.html(formPage, map[string]any{"Lang": lang, "W": w, "Password": w.Password, "Title": w.Login, "Intro": w.LoginIntro, "Button": w.Login, "URL": "/api/v1/session", "Fill": "current-password"}, lang)
}

func pageSetup(c *call) error {
	lang := c.s.lang(c.r)
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
