package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
)

var roles = []string{"viewer", "member", "owner"}

func newPasswd(stdout, stderr *os.File) *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "passwd USER",
		Short: "Set a user's password",
		Long: `Passwd sets a password of 10 to 256 characters; the user's sessions end. It asks
twice, without showing it. This is also the way back in after a forgotten one.`,
		Example: `  sudo yamori passwd kenji
  pwgen 20 1 | sudo yamori passwd kenji --password-stdin`,
		Args: cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(1, a.userWords)
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		u, err := a.user(ctx, args[0])
		if err != nil {
			return err
		}
		secret, err := a.newSecret(ctx, fromStdin)
		if err != nil {
			return err
		}
		if u, err = a.c.ChangeUser(ctx, u.ID, api.UserChange{Password: &secret}); err != nil {
			return err
		}
		if ok, err := a.json(&u); ok {
			return err
		}
		a.sayf("The password of %s is changed; their sessions have ended.", "%s のパスワードを変更しました。ログイン中のセッションは終了しました。", plain(u.Name))
		return nil
	})
	return cmd
}

// user finds a user by name or id.
func (a *asker) user(ctx context.Context, s string) (api.User, error) {
	all, _, err := collect(a.c.Users(ctx), 0, nil)
	if err != nil {
		return api.User{}, err
	}
	var names []string
	for _, u := range all {
		if strings.EqualFold(u.Name, s) || u.ID == s {
			return u, nil
		}
		names = append(names, plain(u.Name))
	}
	if len(names) == 0 {
		return api.User{}, a.errorf("there are no users yet; make the first one with: yamori users add %s --role owner", "ユーザーはまだいません。次で作成してください：yamori users add %s --role owner", plain(s))
	}
	return api.User{}, a.errorf("there is no user %q; there are: %s", "%q というユーザーはいません。登録済み：%s", plain(s), strings.Join(names, ", "))
}

func (a *asker) userWords(ctx context.Context) (out []cobra.Completion) {
	all, _, err := collect(a.c.Users(ctx), 0, nil)
	if err != nil {
		return nil
	}
	for _, u := range all {
		out = append(out, choice(u.Name, u.Role))
	}
	return out
}

func (a *asker) roleWord(s string) string {
	w, ok := map[string][2]string{"owner": {"owner", "管理者"}, "member": {"member", "家族"}, "viewer": {"viewer", "閲覧のみ"}}[s]
	if !ok {
		return s
	}
	return a.t(w[0], w[1])
}

func (a *asker) userColumns() []column[api.User] {
	return []column[api.User]{
		{name: "id", en: "ID", ja: "ID", cell: func(u *api.User) string { return u.ID }},
		{name: "name", en: "NAME", ja: "名前", cell: func(u *api.User) string { return u.Name }},
		{name: "role", en: "ROLE", ja: "役割", cell: func(u *api.User) string { return a.roleWord(u.Role) }, csv: func(u *api.User) string { return u.Role }},
		{name: "second_factor", en: "SECOND FACTOR", ja: "二段階認証", cell: func(u *api.User) string {
			if u.TOTP {
				return a.t("yes", "あり")
			}
			return a.t("no", "なし")
		}, csv: func(u *api.User) string { return fmt.Sprint(u.TOTP) }},
		{name: "created", en: "SINCE", ja: "作成", cell: func(u *api.User) string { return a.stamp(u.Created) }, csv: func(u *api.User) string { return rfc(u.Created) }},
	}
}

func newUsers(stdout, stderr *os.File) *cobra.Command {
	cmd := newUsersList(stdout, stderr)
	cmd.Use, cmd.Short = "users", "Who may log in"
	cmd.Long = `Users lists who may log in over the network: an owner may do everything, a
member names, pauses and quarantines devices, a viewer looks.`
	cmd.Example = `  yamori users
  yamori users add hanako --role member
  yamori users change hanako --role owner
  yamori users change kenji --remove-second-factor
  yamori users remove hanako`
	return group(cmd, newUsersList(stdout, stderr), newUsersAdd(stdout, stderr), newUsersChange(stdout, stderr), newUsersRemove(stdout, stderr))
}

func newUsersList(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List them", Example: "  yamori users list -o json", Args: cobra.NoArgs}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		all, _, err := collect(a.c.Users(ctx), 0, nil)
		if err != nil {
			return err
		}
		return list(a, a.userColumns(), all, "Nobody can log in yet; make a user with: yamori users add NAME --role owner",
			"ログインできる人はまだいません。次で作成します：yamori users add 名前 --role owner")
	})
	return cmd
}

func newUsersAdd(stdout, stderr *os.File) *cobra.Command {
	var role string
	var fromStdin bool
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a user, with a password", Args: cobra.ExactArgs(1),
		Example: "  yamori users add hanako --role member\n  pwgen 20 1 | yamori users add hanako --role viewer --password-stdin",
	}
	a := newAsker(cmd, stdout, stderr)
	oneOf(cmd, &role, "role", "what the user may do", roles...)
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if role == "" {
			return usage(errors.New("say what the user may do: --role viewer, member or owner"))
		}
		if err := checkOneOf("role", role, roles...); err != nil {
			return err
		}
		secret, err := a.newSecret(ctx, fromStdin)
		if err != nil {
			return err
		}
		u, err := a.c.AddUser(ctx, api.UserNew{Name: args[0], Password: secret, Role: role})
		if err != nil {
			return err
		}
		if ok, err := a.json(&u); ok {
			return err
		}
		return list(a, a.userColumns(), []api.User{u}, "", "")
	})
	return cmd
}

func newUsersChange(stdout, stderr *os.File) *cobra.Command {
	var name, role string
	var noTOTP bool
	cmd := &cobra.Command{
		Use: "change USER", Short: "Change name or role, or remove a lost second factor", Args: cobra.ExactArgs(1),
		Example: "  yamori users change hanako --role owner\n  yamori users change kenji --remove-second-factor",
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(1, a.userWords)
	oneOf(cmd, &role, "role", "what the user may do", roles...)
	cmd.Flags().StringVar(&name, "name", "", "another name")
	cmd.Flags().BoolVar(&noTOTP, "remove-second-factor", false, "after a phone was lost")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if err := checkOneOf("role", role, roles...); err != nil {
			return err
		}
		ch := api.UserChange{NoTOTP: noTOTP}
		if name != "" {
			ch.Name = &name
		}
		if role != "" {
			ch.Role = &role
		}
		if ch == (api.UserChange{}) {
			return usage(errNothing)
		}
		u, err := a.user(ctx, args[0])
		if err != nil {
			return err
		}
		if u, err = a.c.ChangeUser(ctx, u.ID, ch); err != nil {
			return err
		}
		if ok, err := a.json(&u); ok {
			return err
		}
		return list(a, a.userColumns(), []api.User{u}, "", "")
	})
	return cmd
}

func newUsersRemove(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{Use: "remove USER", Short: "Remove a user, with sessions and tokens", Example: "  yamori users remove hanako", Args: cobra.ExactArgs(1)}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(1, a.userWords)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		u, err := a.user(ctx, args[0])
		if err != nil {
			return err
		}
		if err := a.c.DeleteUser(ctx, u.ID); err != nil {
			return err
		}
		if ok, err := a.json(map[string][]string{"removed": {u.ID}}); ok {
			return err
		}
		a.sayf("%s can log in no more.", "%s はログインできなくなりました。", plain(u.Name))
		return nil
	})
	return cmd
}
