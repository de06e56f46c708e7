package smb

// SMB1 commands, [MS-CIFS] 2.2.2.1.
const (
	cmd1Delete         = 0x06
	cmd1Rename         = 0x07
	cmd1Read           = 0x0a
	cmd1Write          = 0x0b
	cmd1Locking        = 0x24
	cmd1Trans          = 0x25
	cmd1TransSec       = 0x26
	cmd1Echo           = 0x2b
	cmd1OpenAndX       = 0x2d
	cmd1ReadAndX       = 0x2e
	cmd1WriteAndX      = 0x2f
	cmd1Trans2         = 0x32
	cmd1Trans2Sec      = 0x33
	cmd1TreeDisconnect = 0x71
	cmd1Negotiate      = 0x72
	cmd1SessionSetup   = 0x73
	cmd1Logoff         = 0x74
	cmd1TreeConnect    = 0x75
	cmd1NTTrans        = 0xa0
	cmd1NTTransSec     = 0xa1
	cmd1NTCreate       = 0xa2
	cmd1Cancel         = 0xa4
	cmdNone            = 0xff
)

// SMB2 commands, [MS-SMB2] 2.2.1.
const (
	cmd2Negotiate = iota
	cmd2SessionSetup
	cmd2Logoff
	cmd2TreeConnect
	cmd2TreeDisconnect
	cmd2Create
	cmd2Close
	cmd2Flush
	cmd2Read
	cmd2Write
	cmd2Lock
	cmd2Ioctl
	cmd2Cancel
	cmd2Echo
	cmd2Find // QUERY_DIRECTORY
	cmd2Notify
	cmd2QueryInfo
	cmd2SetInfo
	cmd2Break
)

// The names are those of Suricata's events.
var names2 = [...]string{"NEGOTIATE_PROTOCOL", "SESSION_SETUP", "SESSION_LOGOFF", "TREE_CONNECT", "TREE_DISCONNECT", "CREATE", "CLOSE", "FLUSH",
	"READ", "WRITE", "LOCK", "IOCTL", "CANCEL", "KEEPALIVE", "FIND", "CHANGE_NOTIFY", "GET_INFO", "SET_INFO", "OPLOCK_BREAK"}

// CommandName returns the name of t's command as in Suricata's events, or ""
// when it is not known.
func (t *Tx) CommandName() (prefix, name string) {
	if t.Version == 1 {
		return "SMB1_COMMAND_", name1(t.Command)
	}
	if int(t.Command) < len(names2) {
		return "SMB2_COMMAND_", names2[t.Command]
	}
	return "SMB2_COMMAND_", ""
}

func name1(c uint16) string {
	switch c {
	case 0x00:
		return "CREATE_DIRECTORY"
	case 0x01:
		return "DELETE_DIRECTORY"
	case 0x02:
		return "OPEN"
	case 0x03:
		return "CREATE"
	case 0x04:
		return "CLOSE"
	case 0x05:
		return "FLUSH"
	case cmd1Delete:
		return "DELETE"
	case cmd1Rename:
		return "RENAME"
	case 0x08:
		return "QUERY_INFORMATION"
	case 0x09:
		return "SET_INFORMATION"
	case cmd1Read:
		return "READ"
	case cmd1Write:
		return "WRITE"
	case cmd1Locking:
		return "LOCKING_ANDX"
	case cmd1Trans:
		return "TRANS"
	case cmd1TransSec:
		return "TRANS_SECONDARY"
	case cmd1Echo:
		return "ECHO"
	case cmd1OpenAndX:
		return "OPEN_ANDX"
	case cmd1ReadAndX:
		return "READ_ANDX"
	case cmd1WriteAndX:
		return "WRITE_ANDX"
	case cmd1Trans2:
		return "TRANS2"
	case cmd1Trans2Sec:
		return "TRANS2_SECONDARY"
	case 0x34:
		return "FIND_CLOSE2"
	case cmd1TreeDisconnect:
		return "TREE_DISCONNECT"
	case cmd1Negotiate:
		return "NEGOTIATE_PROTOCOL"
	case cmd1SessionSetup:
		return "SESSION_SETUP_ANDX"
	case cmd1Logoff:
		return "LOGOFF_ANDX"
	case cmd1TreeConnect:
		return "TREE_CONNECT_ANDX"
	case 0x80:
		return "QUERY_INFO_DISK"
	case 0x82:
		return "FIND"
	case cmd1NTTrans:
		return "NT_TRANS"
	case cmd1NTTransSec:
		return "NT_TRANS_SECONDARY"
	case cmd1NTCreate:
		return "NT_CREATE_ANDX"
	case cmd1Cancel:
		return "NT_CANCEL"
	}
	return ""
}

// statusName returns the name of an NTSTATUS ([MS-ERREF] 2.3.1) that SMB
// servers use, or "".
func statusName(s uint32) string {
	switch s {
	case 0:
		return "STATUS_SUCCESS"
	case 0x00000103:
		return "STATUS_PENDING"
	case 0x0000010b:
		return "STATUS_NOTIFY_CLEANUP"
	case 0x0000010c:
		return "STATUS_NOTIFY_ENUM_DIR"
	case 0x80000005:
		return "STATUS_BUFFER_OVERFLOW"
	case 0x80000006:
		return "STATUS_NO_MORE_FILES"
	case 0x8000002d:
		return "STATUS_STOPPED_ON_SYMLINK"
	case 0xc0000001:
		return "STATUS_UNSUCCESSFUL"
	case 0xc0000002:
		return "STATUS_NOT_IMPLEMENTED"
	case 0xc0000003:
		return "STATUS_INVALID_INFO_CLASS"
	case 0xc0000008:
		return "STATUS_INVALID_HANDLE"
	case 0xc000000d:
		return "STATUS_INVALID_PARAMETER"
	case 0xc000000f:
		return "STATUS_NO_SUCH_FILE"
	case 0xc0000010:
		return "STATUS_INVALID_DEVICE_REQUEST"
	case 0xc0000011:
		return "STATUS_END_OF_FILE"
	case 0xc0000016:
		return "STATUS_MORE_PROCESSING_REQUIRED"
	case 0xc0000022:
		return "STATUS_ACCESS_DENIED"
	case 0xc0000023:
		return "STATUS_BUFFER_TOO_SMALL"
	case 0xc0000033:
		return "STATUS_OBJECT_NAME_INVALID"
	case 0xc0000034:
		return "STATUS_OBJECT_NAME_NOT_FOUND"
	case 0xc0000035:
		return "STATUS_OBJECT_NAME_COLLISION"
	case 0xc000003a:
		return "STATUS_OBJECT_PATH_NOT_FOUND"
	case 0xc0000043:
		return "STATUS_SHARING_VIOLATION"
	case 0xc0000056:
		return "STATUS_DELETE_PENDING"
	case 0xc0000064:
		return "STATUS_NO_SUCH_USER"
	case 0xc000006a:
		return "STATUS_WRONG_PASSWORD"
	case 0xc000006d:
		return "STATUS_LOGON_FAILURE"
	case 0xc000006e:
		return "STATUS_ACCOUNT_RESTRICTION"
	case 0xc0000071:
		return "STATUS_PASSWORD_EXPIRED"
	case 0xc0000072:
		return "STATUS_ACCOUNT_DISABLED"
	case 0xc000009a:
		return "STATUS_INSUFFICIENT_RESOURCES"
	case 0xc00000ac:
		return "STATUS_PIPE_NOT_AVAILABLE"
	case 0xc00000ba:
		return "STATUS_FILE_IS_A_DIRECTORY"
	case 0xc00000bb:
		return "STATUS_NOT_SUPPORTED"
	case 0xc00000c9:
		return "STATUS_NETWORK_NAME_DELETED"
	case 0xc00000cc:
		return "STATUS_BAD_NETWORK_NAME"
	case 0xc0000101:
		return "STATUS_DIRECTORY_NOT_EMPTY"
	case 0xc0000103:
		return "STATUS_NOT_A_DIRECTORY"
	case 0xc0000120:
		return "STATUS_CANCELLED"
	case 0xc0000128:
		return "STATUS_FILE_CLOSED"
	case 0xc000015b:
		return "STATUS_LOGON_TYPE_NOT_GRANTED"
	case 0xc0000184:
		return "STATUS_INVALID_DEVICE_STATE"
	case 0xc0000203:
		return "STATUS_USER_SESSION_DELETED"
	case 0xc0000225:
		return "STATUS_NOT_FOUND"
	case 0xc0000234:
		return "STATUS_ACCOUNT_LOCKED_OUT"
	case 0xc0000257:
		return "STATUS_PATH_NOT_COVERED"
	case 0xc000035c:
		return "STATUS_NETWORK_SESSION_EXPIRED"
	}
	return ""
}

// dialect2 returns the text of an SMB2 dialect number, [MS-SMB2] 2.2.3.
func dialect2(v uint16) string {
	switch v {
	case 0x0202:
		return "2.02"
	case 0x0210:
		return "2.10"
	case 0x0222:
		return "2.22"
	case 0x0224:
		return "2.24"
	case 0x0300:
		return "3.00"
	case 0x0302:
		return "3.02"
	case 0x0311:
		return "3.11"
	case 0x02ff:
		return "2.??"
	}
	return "unknown"
}

// dialect1 returns the constant for a dialect of SMB1 (so that keeping it
// keeps no memory), or "unknown".
func dialect1(b []byte) string {
	for _, s := range [...]string{"NT LM 0.12", "SMB 2.002", "SMB 2.???", "PC NETWORK PROGRAM 1.0", "MICROSOFT NETWORKS 1.03",
		"MICROSOFT NETWORKS 3.0", "LANMAN1.0", "LM1.2X002", "DOS LM1.2X002", "LANMAN2.1", "DOS LANMAN2.1", "Samba", "NT LANMAN 1.0",
		"Windows for Workgroups 3.1a", "XENIX CORE"} {
		if string(b) == s {
			return s
		}
	}
	return "unknown"
}

func dispositionName(v uint32) string {
	names := [...]string{"FILE_SUPERSEDE", "FILE_OPEN", "FILE_CREATE", "FILE_OPEN_IF", "FILE_OVERWRITE", "FILE_OVERWRITE_IF"}
	if v < uint32(len(names)) {
		return names[v]
	}
	return "unknown"
}

// transName names the subcommands of TRANS2, [MS-CIFS] 2.2.2.2.
func transName(command, sub uint16) string {
	if command != cmd1Trans2 {
		return ""
	}
	names := [...]string{"OPEN2", "FIND_FIRST2", "FIND_NEXT2", "QUERY_FS_INFO", "SET_FS_INFO", "QUERY_PATH_INFO", "SET_PATH_INFO",
		"QUERY_FILE_INFO", "SET_FILE_INFO", "FSCTL", "IOCTL2", "FIND_NOTIFY_FIRST", "FIND_NOTIFY_NEXT", "CREATE_DIRECTORY", "SESSION_SETUP",
		"", "GET_DFS_REFERRAL", "REPORT_DFS_INCONSISTENCY"}
	if int(sub) < len(names) {
		return names[sub]
	}
	return ""
}

// ioctlName names the control codes that say something about the client,
// [MS-FSCC] 2.3 and [MS-SMB2] 2.2.31.
func ioctlName(v uint32) string {
	switch v {
	case 0x00060194:
		return "FSCTL_DFS_GET_REFERRALS"
	case 0x0011400c:
		return "FSCTL_PIPE_PEEK"
	case 0x00110018:
		return "FSCTL_PIPE_WAIT"
	case fsctlPipeTransceive:
		return "FSCTL_PIPE_TRANSCEIVE"
	case 0x001440f2:
		return "FSCTL_SRV_COPYCHUNK"
	case 0x00144064:
		return "FSCTL_SRV_ENUMERATE_SNAPSHOTS"
	case 0x00140078:
		return "FSCTL_SRV_REQUEST_RESUME_KEY"
	case 0x001401fc:
		return "FSCTL_QUERY_NETWORK_INTERFACE_INFO"
	case 0x00140204:
		return "FSCTL_VALIDATE_NEGOTIATE_INFO"
	case 0x000900a4:
		return "FSCTL_SET_REPARSE_POINT"
	case 0x000900a8:
		return "FSCTL_GET_REPARSE_POINT"
	case 0x001401d4:
		return "FSCTL_LMR_REQUEST_RESILIENCY"
	case 0x000900c0:
		return "FSCTL_CREATE_OR_GET_OBJECT_ID"
	}
	return ""
}
