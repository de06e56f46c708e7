package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

func (c *call) agent() string { return cutText(c.r.UserAgent(), maxText) }

func meOf(p auth.Principal) *Me {
	return &Me{UserID: p.UserID, Name: p.Name, Role: p.Role.String(), Scope: auth.ScopeName(p.Role), Via: string(p.Via), TOTP: p.NeedTwo}
}

func postSetup(c *call) error {
	var in Setup
	if err := c.decode(&in); err != nil {
		return err
	}
	secret, p, err := c.s.cfg.Auth.Setup(c.ctx(), in.Token, in.Name, in.Password, clientAddr(c.r), c.agent())
	if err != nil {
		return err
	}
	setCookie(c.w, c.r, secret)
	return c.json(meOf(p))
}

func postLogin(c *call) error {
	var in Login
	if err := c.decode(&in); err != nil {
		return err
	}
	secret, p, err := c.s.cfg.Auth.Login(c.ctx(), auth.Login{Name: in.Name, Password: in.Password, Code: in.Code, Addr: clientAddr(c.r), Agent: c.agent()})
	if err != nil {
		return err
	}
	if old, err := c.s.identify(c.r); err == nil && old.Via == auth.ViaSession {
		_ = c.s.cfg.Auth.EndSession(old.UserID, old.ID) // may have ended by itself
	}
	setCookie(c.w, c.r, secret)
	return c.json(meOf(p))
}

func getMe(c *call) error { return c.json(meOf(c.who)) }

func logout(c *call) error {
	setCookie(c.w, c.r, "")
	if err := c.s.cfg.Auth.EndSession(c.who.UserID, c.who.ID); err != nil {
		return err
	}
	return c.none()
}

// again asks for the password once more; a wrong one is 403, since the session
// itself is good.
func (c *call) again(password string) error {
	err := c.s.cfg.Auth.CheckPassword(c.ctx(), c.who.UserID, password, clientAddr(c.r))
	if f := toFault(err); err != nil && f != nil && f.status == http.StatusUnauthorized {
		return refuse(http.StatusForbidden, "credentials", "the password is wrong")
	}
	return err
}

func postPassword(c *call) error {
	var in Password
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := c.again(in.Old); err != nil {
		return err
	}
	if _, err := c.s.cfg.Auth.ChangeUser(c.ctx(), c.who.UserID, auth.Change{Password: &in.New}, c.who.ID); err != nil {
		return err
	}
	return c.none()
}

func enrolTOTP(c *call) error {
	var in Confirm
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := c.again(in.Password); err != nil {
		return err
	}
	secret, uri, err := c.s.cfg.Auth.EnrolTOTP(c.who.UserID)
	if err != nil {
		return err
	}
	return c.json(&TOTPSecret{secret, uri})
}

func confirmTOTP(c *call) error {
	var in TOTPCode
	if err := c.decode(&in); err != nil {
		return err
	}
	codes, err := c.s.cfg.Auth.ConfirmTOTP(c.who.UserID, in.Code, c.who.ID, clientAddr(c.r))
	if f := toFault(err); err != nil && f != nil && f.status == http.StatusUnauthorized {
		return invalid("code", "the code is wrong")
	}
	if err != nil {
		return err
	}
	return c.json(&RecoveryCodes{codes})
}

func removeTOTP(c *call) error {
	var in Confirm
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := c.again(in.Password); err != nil {
		return err
	}
	if _, err := c.s.cfg.Auth.ChangeUser(c.ctx(), c.who.UserID, auth.Change{NoTOTP: true}, c.who.ID); err != nil {
		return err
	}
	return c.none()
}

func listSessions(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	var all []Session
	for _, x := range c.s.cfg.Auth.Sessions(c.who.UserID) {
		all = append(all, Session{x.ID, x.UserID, x.Created, x.Seen, x.Expires, x.Addr, x.Agent, x.ID == c.who.ID})
	}
	items, next := cutPage(all, p)
	return list(c, items, next, nil)
}

func endSession(c *call) error {
	if err := c.s.cfg.Auth.EndSession(c.who.UserID, c.id()); err != nil {
		return err
	}
	return c.none()
}

func userOf(u auth.User) *User {
	return &User{u.ID, u.Name, u.Role.String(), u.Created, u.TOTP, u.Codes}
}

func listUsers(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	var all []User
	for _, u := range c.s.cfg.Auth.Users() {
		all = append(all, *userOf(u))
	}
	items, next := cutPage(all, p)
	return list(c, items, next, nil)
}

func getUser(c *call) error {
	u, err := c.s.cfg.Auth.User(c.id())
	if err != nil {
		return err
	}
	return c.json(userOf(u))
}

func addUser(c *call) error {
	var in UserNew
	if err := c.decode(&in); err != nil {
		return err
	}
	role, _ := auth.ParseRole(in.Role)
	c.target = in.Name
	c.note("role", in.Role)
	u, err := c.s.cfg.Auth.AddUser(c.ctx(), in.Name, in.Password, role)
	if err != nil {
		return err
	}
	return c.json(userOf(u))
}

// sameUser checks If-Match of a user.
func (c *call) sameUser() error {
	if !c.conditional() {
		return nil
	}
	u, err := c.s.cfg.Auth.User(c.id())
	if err != nil {
		return err
	}
	return c.ifMatch(userOf(u))
}

func changeUser(c *call) error {
	var in UserChange
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := c.sameUser(); err != nil {
		return err
	}
	ch := auth.Change{Name: in.Name, Password: in.Password, NoTOTP: in.NoTOTP}
	if in.Name != nil {
		c.note("name", *in.Name)
	}
	if in.Password != nil {
		c.note("password", "new")
	}
	if in.NoTOTP {
		c.note("totp", "removed")
	}
	if in.Role != nil {
		role, _ := auth.ParseRole(*in.Role)
		ch.Role = &role
		c.note("role", *in.Role)
	}
	keep := ""
	if c.id() == c.who.UserID {
		keep = c.who.ID
	}
	u, err := c.s.cfg.Auth.ChangeUser(c.ctx(), c.id(), ch, keep)
	if err != nil {
		return err
	}
	return c.json(userOf(u))
}

func deleteUser(c *call) error {
	if err := c.sameUser(); err != nil {
		return err
	}
	if err := c.s.cfg.Auth.DeleteUser(c.id()); err != nil {
		return err
	}
	return c.none()
}

func tokenOf(t auth.Token) Token {
	return Token{ID: t.ID, UserID: t.UserID, Name: t.Name, Scope: t.Scope, Prefix: t.Prefix, Created: t.Created, Expires: t.Expires, Used: t.Used}
}

// whose is the user whose tokens may be seen and ended: owners see all.
func (c *call) whose() string {
	if c.who.Role == auth.Owner {
		return ""
	}
	return c.who.UserID
}

func listTokens(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	var all []Token
	for _, t := range c.s.cfg.Auth.Tokens(c.whose()) {
		all = append(all, tokenOf(t))
	}
	items, next := cutPage(all, p)
	return list(c, items, next, nil)
}

func addToken(c *call) error {
	var in TokenNew
	if err := c.decode(&in); err != nil {
		return err
	}
	scope, _ := auth.ParseScope(in.Scope)
	if scope > c.who.Role {
		return refuse(http.StatusForbidden, "role", "a token cannot do more than who makes it")
	}
	secret, t, err := c.s.cfg.Auth.AddToken(c.who.UserID, in.Name, scope, time.Duration(in.Days)*24*time.Hour)
	if err != nil {
		return err
	}
	c.target = t.ID
	c.note("scope", in.Scope)
	out := tokenOf(t)
	out.Secret = secret
	return c.json(&out)
}

func deleteToken(c *call) error {
	if err := c.s.cfg.Auth.DeleteToken(c.whose(), c.id()); err != nil {
		return err
	}
	return c.none()
}

func listAudit(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	l, next, err := c.s.cfg.Backend.Logbook.AuditLog(c.ctx(), c.str("actor"), c.str("action"), c.when("since"), c.when("until"), p)
	return list(c, l, next, err)
}

// among reports whether an entry is of a collection.
func (k *collection) among(e *Entry) bool { return slices.Contains(k.kinds, e.Kind) }
