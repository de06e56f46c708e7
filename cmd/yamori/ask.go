package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

const csvOutput = "csv"

// asker is what the commands share that ask the running daemon: their flags,
// the way to it, and the language of the answer.
type asker struct {
	out, err *os.File

	configFile, socket, output, langFlag string
	outputs                              []string

	lang  report.Lang
	c     *client.Client
	now   time.Time
	known map[string]string // names of devices, where findings are told
}

// newAsker adds the flags that all these commands have. outputs are the values
// of -o, the default first.
func newAsker(cmd *cobra.Command, stdout, stderr *os.File, outputs ...string) *asker {
	if len(outputs) == 0 {
		outputs = []string{app.Human, app.JSON}
	}
	a := &asker{out: stdout, err: stderr, outputs: outputs}
	f := cmd.Flags()
	f.StringVarP(&a.output, "output", "o", outputs[0], orList(outputs))
	f.StringVar(&a.socket, "socket", "", "Unix socket of the daemon (default "+config.DefaultSocket+")")
	f.StringVar(&a.configFile, "config", "", "configuration file")
	f.StringVar(&a.langFlag, "lang", "", "language of the answer: en or ja (default: from the environment)")
	completeOutput(cmd, outputs...)
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	return a
}

// orList reads as "human, json or csv".
func orList(s []string) string {
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " or " + s[len(s)-1]
}

// open reads the flags and the configuration; it does not speak yet.
func (a *asker) open() error {
	if !slices.Contains(a.outputs, a.output) {
		return usage(fmt.Errorf("output %q: use %s", a.output, orList(a.outputs)))
	}
	cfg, err := config.Load(a.configFile)
	if err != nil {
		return err
	}
	if a.lang = language(cfg); a.langFlag != "" {
		if a.lang = report.Lang(a.langFlag); a.lang != report.English && a.lang != report.Japanese {
			return usage(fmt.Errorf("language %q: use en or ja", a.langFlag))
		}
	}
	a.c = client.Unix(cmp.Or(a.socket, cfg.Socket, config.DefaultSocket))
	a.now = time.Now()
	return nil
}

// does makes f the work of a command.
func (a *asker) does(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.open(); err != nil {
			return err
		}
		a.atHome(cmd.Context())
		return cured(a.lang, f(cmd.Context(), args))
	}
}

// t chooses between the two languages.
func (a *asker) t(english, japanese string) string {
	if a.lang == report.Japanese {
		return japanese
	}
	return english
}

// errorf is an error in the language of the answer. Wrong use is told in
// English, as the help is.
func (a *asker) errorf(english, japanese string, args ...any) error {
	return fmt.Errorf(a.t(english, japanese), args...)
}

// sayf writes a sentence for people, when people are asked for.
func (a *asker) sayf(english, japanese string, args ...any) {
	if a.output == app.Human {
		fmt.Fprintf(a.out, a.t(english, japanese)+"\n", args...)
	}
}

// notef writes to standard error, whatever the output is.
func (a *asker) notef(english, japanese string, args ...any) {
	fmt.Fprintf(a.err, a.t(english, japanese)+"\n", args...)
}

// json writes v, when JSON is asked for, and says whether it was.
func (a *asker) json(v any) (bool, error) {
	if a.output != app.JSON {
		return false, nil
	}
	return true, writeJSON(a.out, v, true)
}

// writeJSON writes v so that nothing in it can move a terminal: what
// encoding/json leaves as it is (DEL, C1 controls, marks that turn the writing
// round) becomes \u escapes.
func writeJSON(w io.Writer, v any, indent bool) error {
	e := json.NewEncoder(&jsonWriter{w})
	e.SetEscapeHTML(false)
	if indent {
		e.SetIndent("", "  ")
	}
	return e.Encode(v)
}

// cured turns what the daemon refuses into a sentence with what to do.
func cured(lang report.Lang, err error) error {
	a := asker{lang: lang}
	var e *client.Error
	var u *client.Unreachable
	switch {
	case errors.Is(err, context.Canceled):
		return a.errorf("interrupted", "中断しました")
	case errors.As(err, &u) && u.Denied:
		return a.errorf("no permission to ask yamori at %s; use sudo, or join the socket's group", "%s でヤモリに問い合わせる権限がありません。sudo を使うか、ソケットのグループに加わってください", u.At)
	case errors.As(err, &u):
		return a.errorf("yamori is not running (nobody answers at %s); start it with: sudo yamori run", "ヤモリが動いていません（%s に応答がありません）。sudo yamori run で起動してください", u.At)
	case !errors.As(err, &e):
		return err
	}
	detail := strings.TrimSpace(plain(e.Detail))
	if e.Field != "" {
		detail = plain(e.Field) + ": " + detail
	}
	switch {
	case e.Code == "last-owner":
		return a.errorf("this is the last owner; %s", "最後の管理者です。先に別のユーザーを管理者にしてください（%s）", detail)
	case e.Code == "exists":
		return a.errorf("this name is taken; choose another one", "この名前は使われています。別の名前にしてください")
	case e.Code == "unavailable":
		return a.errorf("this part of yamori is not running; see its log", "ヤモリのこの機能は動いていません。ログを確認してください")
	case e.Code == "busy", e.Code == "timeout", e.Code == "slow-down":
		return a.errorf("yamori is busy; try again in a moment (%s)", "ヤモリが混み合っています。少し待ってやり直してください（%s）", detail)
	case e.Status == http.StatusNotFound:
		return a.errorf("there is no such thing (any more); list them and use an id from there", "見つかりません（すでになくなった可能性があります）。一覧で ID を確かめてください")
	case e.Status == http.StatusUnprocessableEntity, e.Status == http.StatusBadRequest:
		return errors.New(cmp.Or(detail, plain(e.Code)))
	case e.Status >= http.StatusInternalServerError:
		return a.errorf("yamori could not do it; its log says why, under %s", "ヤモリで処理できませんでした。理由はログの %s にあります", plain(strings.TrimPrefix(e.Instance, "urn:yamori:request:")))
	case detail != "":
		return a.errorf("yamori refuses: %s", "ヤモリが拒否しました：%s", detail)
	}
	return e
}

// collect reads a walk to its end, or until most.
func collect[T any](seq func(func(T, error) bool), most int, keep func(*T) bool) (out []T, more bool, err error) {
	out = []T{}
	for x, err := range seq {
		if err != nil {
			return out, false, err
		}
		if keep != nil && !keep(&x) {
			continue
		}
		if most > 0 && len(out) == most {
			return out, true, nil
		}
		out = append(out, x)
	}
	return out, false, nil
}
