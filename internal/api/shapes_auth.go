package api

import "time"

// Login asks for a session.
type Login struct {
	Name     string `json:"name" min:"1" max:"64"`
	Password string `json:"password" min:"1" max:"1024"`
	Code     string `json:"code,omitempty" doc:"of the authenticator app, or a recovery code" max:"64"`
}

// Setup makes the first owner.
type Setup struct {
	Token    string `json:"token" doc:"of the one-time link" min:"1" max:"64"`
	Name     string `json:"name" min:"1" max:"64"`
	Password string `json:"password" min:"1" max:"1024"`
}

// Me says who is asking.
type Me struct {
	UserID string `json:"user_id" doc:"empty: the Unix socket, or a token made over it"`
	Name   string `json:"name"`
	Role   string `json:"role" enum:"viewer,member,owner"`
	Scope  string `json:"scope" doc:"what may be done" enum:"read,act,admin"`
	Via    string `json:"via" enum:"session,token,socket"`
	TOTP   bool   `json:"totp" doc:"has a second factor"`
}

// Password asks for a new password.
type Password struct {
	Old string `json:"old" min:"1" max:"1024"`
	New string `json:"new" doc:"10 to 256 characters" min:"1" max:"1024"`
}

// Confirm repeats the password before something grave.
type Confirm struct {
	Password string `json:"password" min:"1" max:"1024"`
}

// TOTPSecret is shown once, as text and as a QR code.
type TOTPSecret struct {
	Secret string `json:"secret" doc:"base32"`
	URI    string `json:"uri" doc:"otpauth:, for a QR code"`
}

// TOTPCode confirms that the app works.
type TOTPCode struct {
	Code string `json:"code" min:"6" max:"16"`
}

// RecoveryCodes are shown once; each stands once for the app.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// Session is a login.
type Session struct {
	ID      string    `json:"id"`
	UserID  string    `json:"user_id"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
	Expires time.Time `json:"expires"`
	Addr    string    `json:"addr"`
	Agent   string    `json:"agent"`
	Current bool      `json:"current" doc:"the one that asks"`
}

// User is a person.
type User struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	Role          string    `json:"role" enum:"viewer,member,owner"`
	Created       time.Time `json:"created"`
	TOTP          bool      `json:"totp"`
	RecoveryCodes int       `json:"recovery_codes" doc:"left"`
}

// UserNew asks for a user.
type UserNew struct {
	Name     string `json:"name" min:"1" max:"64"`
	Password string `json:"password" doc:"10 to 256 characters" min:"1" max:"1024"`
	Role     string `json:"role" enum:"viewer,member,owner"`
}

// UserChange is what may be changed of a user; what is left out stays.
type UserChange struct {
	Name     *string `json:"name,omitempty" min:"1" max:"64"`
	Password *string `json:"password,omitempty" min:"1" max:"1024"`
	Role     *string `json:"role,omitempty" enum:"viewer,member,owner"`
	NoTOTP   bool    `json:"remove_totp,omitempty" doc:"remove the second factor, after a phone was lost"`
}

// Token is a key for a program.
type Token struct {
	ID      string    `json:"id"`
	UserID  string    `json:"user_id"`
	Name    string    `json:"name"`
	Scope   string    `json:"scope" enum:"read,act,admin"`
	Prefix  string    `json:"prefix" doc:"how the token begins"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero" doc:"since the start of the daemon"`
	Secret  string    `json:"secret,omitempty" doc:"only in the answer that makes it"`
}

// TokenNew asks for a token.
type TokenNew struct {
	Name  string `json:"name" min:"1" max:"64"`
	Scope string `json:"scope" enum:"read,act,admin"`
	Days  int    `json:"days" doc:"how long it lives" min:"1" max:"731"`
}

// Fault is problem details (RFC 9457).
type Fault struct {
	Type     string `json:"type" doc:"urn:yamori:problem: and the code"`
	Title    string `json:"title"`
	Status   int    `json:"status" min:"400" max:"599"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty" doc:"id of this answer, also in the log"`
	Code     string `json:"code" doc:"stable"`
	Field    string `json:"field,omitempty" doc:"of the request, where one is wrong"`
}

// Health says whether the process works.
type Health struct {
	Status  string   `json:"status" enum:"ok,unready"`
	Reasons []string `json:"reasons" doc:"codes, each once"`
	// Problems are the reasons with what they are about.
	Problems []Problem `json:"problems,omitempty" doc:"the reasons with their arguments"`
}
